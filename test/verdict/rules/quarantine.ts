import { type Facts, grouped, keyOf } from "../facts";
import { type Finding, finder } from "../finding";
import type { QueuedMessage } from "../snapshot";

const finding = finder("QUARANTINED_WITH_PAYLOAD");

/** Compares the quarantined records with the injected ones, both ways. Duplicates are allowed. */
export function judgeQuarantine({ snapshot, journal }: Facts): Finding[] {
  const records = quarantinedRecords(snapshot.quarantined);
  const findings = records.flatMap(({ where, problem }) =>
    problem ? [finding(where, "a whole payload", problem)] : [],
  );
  const whole = records.filter(({ problem }) => problem === undefined);
  const found = grouped(whole, ({ stream, payload }) => keyOf(stream, payload));
  const undecodable = journal.poison.filter((poison) => poison.kind === "undecodable");
  const injected = grouped(undecodable, ({ stream, payload }) => keyOf(stream, payload));
  for (const [key, poison] of injected) {
    const times = found.get(key)?.length ?? 0;
    if (times < poison.length)
      findings.push(finding(`quarantine of ${key.replace("\n", ": ")}`, poison.length, times));
  }
  for (const [key, unexpected] of found)
    if (!injected.has(key))
      findings.push(...unexpected.map(({ where, payload }) => finding(where, "not in quarantine", payload)));
  return findings;
}

/** A quarantined stream record, assembled from the messages that hold its parts. */
interface QuarantinedRecord {
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

/**
 * Assembles the records in quarantine queues. A relay that was interrupted quarantines a record, or parts of
 * it, again.
 */
function quarantinedRecords(messages: readonly QueuedMessage[]): QuarantinedRecord[] {
  const parts = messages.map(partOf);
  const unreadable = parts.filter((part): part is QuarantinedRecord => "where" in part);
  const readable = parts.filter((part): part is Part => !("where" in part));
  const records = grouped(readable, ({ queue, stream, sequenceNumber }) =>
    keyOf(queue, stream, sequenceNumber),
  );
  return [...unreadable, ...[...records.values()].map(recordOf)];
}

function partOf({ queue, body }: QueuedMessage): Part | QuarantinedRecord {
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
  const differs = parts.some(({ part, payload }) => pieces.get(part) !== payload);
  return {
    where,
    stream: first.stream,
    payload: Buffer.concat(bytes).toString("base64"),
    ...(differs ? { problem: "copies of one part differ" } : {}),
  };
}
