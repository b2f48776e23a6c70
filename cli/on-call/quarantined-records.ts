import { z } from "zod";
import { parsedJson } from "../../runtime/envelope/portable-data";
import type { HeldMessage } from "./held-messages";

/** A quarantined record, assembled from its messages. */
export interface QuarantinedRecord {
  /** "<relay>/<sequence number>". */
  id: string;
  /** ARN of its stream. */
  stream: string;
  sequenceNumber: string;
  /** Kinesis only. */
  partitionKey: string | undefined;
  /** "<domain>.<Aggregate>/<id>" and the version; undefined for a record that has no place in an order. */
  aggregateKey: string | undefined;
  version: number | undefined;
  /** Why it was not published. */
  reason: string;
  /** When it was quarantined, ISO 8601. */
  quarantinedAt: string;
  /** Its content, byte for byte; undefined if parts are missing. */
  payload: Buffer | undefined;
  /** Every message with a part of it; a record that was quarantined twice has each part twice. */
  messages: HeldMessage[];
}

/** The contents of a quarantine queue. */
export interface Quarantine {
  records: QuarantinedRecord[];
  /** Messages that are not from a relay. */
  foreign: HeldMessage[];
}

/** Assembles the records in a relay's quarantine queue, oldest first. */
export function quarantinedRecords(relay: string, held: HeldMessage[]): Quarantine {
  const schema = messageSchema();
  const foreign: HeldMessage[] = [];
  const records = new Map<string, Part[]>();
  for (const message of held) {
    const body = schema.safeParse(parsedJson(message.body));
    if (!body.success) {
      foreign.push(message);
      continue;
    }
    const key = `${body.data.stream} ${body.data.sequenceNumber}`;
    records.set(key, [...(records.get(key) ?? []), { message, body: body.data }]);
  }
  const all = [...records.values()].map((parts) => recordOf(relay, parts));
  all.sort((one, other) => one.quarantinedAt.localeCompare(other.quarantinedAt));
  return { records: inOrder(all), foreign };
}

/** Keeps the order of the records, except that those of one aggregate are in the order of their versions. */
function inOrder(records: QuarantinedRecord[]): QuarantinedRecord[] {
  const versions = new Map<string, QuarantinedRecord[]>();
  for (const record of records) {
    if (record.aggregateKey === undefined) continue;
    versions.set(record.aggregateKey, [...(versions.get(record.aggregateKey) ?? []), record]);
  }
  for (const of of versions.values()) of.sort((one, other) => (one.version ?? 0) - (other.version ?? 0));
  return records.map((record) => versions.get(record.aggregateKey ?? "")?.shift() ?? record);
}

type Body = z.output<ReturnType<typeof messageSchema>>;

interface Part {
  message: HeldMessage;
  body: Body;
}

/** As runtime/relay/quarantine.ts sends it. */
function messageSchema() {
  return z.object({
    stream: z.string().startsWith("arn:"),
    sequenceNumber: z.string().min(1),
    partitionKey: z.string().min(1).optional(),
    aggregateKey: z.string().min(1).optional(),
    version: z.int().min(1).optional(),
    reason: z.string(),
    part: z.int().min(1),
    parts: z.int().min(1),
    payload: z.base64(),
  });
}

function recordOf(relay: string, parts: Part[]): QuarantinedRecord {
  const [{ body }] = parts as [Part];
  const pieces = Array.from({ length: body.parts }, (_, index) =>
    parts.find((piece) => piece.body.part === index + 1),
  );
  const complete = pieces.flatMap((piece) =>
    piece === undefined ? [] : [Buffer.from(piece.body.payload, "base64")],
  );
  return {
    id: `${relay}/${body.sequenceNumber}`,
    stream: body.stream,
    sequenceNumber: body.sequenceNumber,
    partitionKey: body.partitionKey,
    aggregateKey: body.aggregateKey,
    version: body.version,
    reason: body.reason,
    quarantinedAt: parts.map(({ message }) => message.sentAt).sort()[0] ?? "",
    payload: complete.length === body.parts ? Buffer.concat(complete) : undefined,
    messages: parts.map(({ message }) => message),
  };
}
