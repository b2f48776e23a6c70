import { grouped, keyOf } from "../facts";
import type { SetAsideMessage } from "../snapshot";

/** A record of a stream, put together of the messages that hold its parts. */
export interface QuarantinedRecord {
  /** How findings name it. */
  where: string;
  /** ARN. */
  stream: string;
  /** Base64. */
  payload: string;
  /** Why its payload is not whole; absent if it is. */
  problem?: string;
}

interface Part {
  queue: string;
  stream: string;
  sequenceNumber: string;
  part: number;
  parts: number;
  payload: string;
}

/** Puts the records in quarantine queues together. A relay that was interrupted sets a record, or parts of it, aside again. */
export function quarantined(messages: readonly SetAsideMessage[]): QuarantinedRecord[] {
  const parts = messages.map(partOf);
  const unreadable = parts.filter((part): part is QuarantinedRecord => "where" in part);
  const readable = parts.filter((part): part is Part => !("where" in part));
  const records = grouped(readable, ({ queue, stream, sequenceNumber }) =>
    keyOf(queue, stream, sequenceNumber),
  );
  return [...unreadable, ...[...records.values()].map(recordOf)];
}

function partOf({ queue, body }: SetAsideMessage): Part | QuarantinedRecord {
  let content: Partial<Part> | null;
  try {
    content = JSON.parse(body) as Partial<Part> | null;
  } catch {
    content = null;
  }
  const { stream, sequenceNumber, part, parts, payload } = content ?? {};
  if (
    typeof stream === "string" &&
    typeof sequenceNumber === "string" &&
    typeof part === "number" &&
    typeof parts === "number" &&
    typeof payload === "string"
  )
    return { queue, stream, sequenceNumber, part, parts, payload };
  return { where: `message in ${queue}`, stream: "", payload: "", problem: body };
}

function recordOf(parts: readonly Part[]): QuarantinedRecord {
  const first = parts[0] as Part; // a group has members
  const where = `record ${first.sequenceNumber} of ${first.stream} in ${first.queue}`;
  const pieces = new Map(parts.map(({ part, payload }) => [part, payload]));
  const bytes: Buffer[] = [];
  for (let number = 1; number <= first.parts; number += 1) {
    const piece = pieces.get(number);
    if (piece === undefined)
      return {
        where,
        stream: first.stream,
        payload: "",
        problem: `part ${number} of ${first.parts} is missing`,
      };
    bytes.push(Buffer.from(piece, "base64"));
  }
  const isTwofold = parts.some(({ part, payload }) => pieces.get(part) !== payload);
  return {
    where,
    stream: first.stream,
    payload: Buffer.concat(bytes).toString("base64"),
    ...(isTwofold ? { problem: "parts of one number differ" } : {}),
  };
}
