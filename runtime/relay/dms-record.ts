import type { OutboxRecord } from "../cloud-event";

/** What a Kinesis record turned out to be. */
export type DecodedRecord =
  { kind: "event"; record: OutboxRecord } | { kind: "ignored" } | { kind: "undecodable"; reason: string };

interface DmsRecord {
  data?: Record<string, unknown>;
  control?: unknown;
  metadata?: Record<string, unknown>;
}

const OUTBOX_TABLE = "outbox";
/** Operations that add a row to the outbox; "load" is the same row read by a full load. */
const INSERTS = ["insert", "load"];

/**
 * Decodes a record that AWS DMS wrote to Kinesis (MessageFormat json or json-unformatted). Control records, other tables, updates
 * and deletions are ignored: only what was added to the outbox is an event. Source: AWS DMS user guide, Kinesis target.
 */
export function decodeDmsRecord(payload: Buffer): DecodedRecord {
  let parsed: DmsRecord | null;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)) as DmsRecord | null;
  } catch {
    return { kind: "undecodable", reason: "The record is not JSON in UTF-8." };
  }
  const metadata = parsed?.metadata;
  if (typeof metadata !== "object" || metadata === null) {
    return { kind: "undecodable", reason: "The record has no metadata." };
  }
  if (metadata["record-type"] !== "data" || parsed?.control) return { kind: "ignored" };
  if (metadata["table-name"] !== OUTBOX_TABLE) return { kind: "ignored" };
  if (!INSERTS.includes(String(metadata["operation"]))) return { kind: "ignored" };
  return outboxRow(parsed?.data);
}

const TEXT_COLUMNS = [
  "id",
  "aggregate",
  "aggregate_id",
  "type",
  "payload",
  "occurred_at",
  "correlation_id",
] as const;
const NUMBER_COLUMNS = ["aggregate_version", "schema_version"] as const;

function outboxRow(row: Record<string, unknown> | undefined): DecodedRecord {
  if (typeof row !== "object" || row === null)
    return { kind: "undecodable", reason: "The record has no data." };
  const wrong = [
    ...TEXT_COLUMNS.filter((column) => typeof row[column] !== "string" || row[column] === ""),
    ...NUMBER_COLUMNS.filter(
      (column) => !(Number.isSafeInteger(Number(row[column])) && Number(row[column]) > 0),
    ),
  ];
  if (wrong.length > 0)
    return { kind: "undecodable", reason: `Missing or wrong columns: ${wrong.join(", ")}.` };
  const columns = row as Record<(typeof TEXT_COLUMNS)[number], string> & Record<string, unknown>;
  const data = payloadOf(columns.payload);
  if (!data) return { kind: "undecodable", reason: "The payload is not JSON with change and state." };
  const occurredAt = new Date(inUtc(columns.occurred_at));
  if (Number.isNaN(occurredAt.getTime()))
    return { kind: "undecodable", reason: "occurred_at is not a time." };
  return {
    kind: "event",
    record: {
      id: columns.id,
      aggregate: columns.aggregate,
      aggregateId: columns.aggregate_id,
      aggregateVersion: Number(columns["aggregate_version"]),
      type: columns.type,
      schemaVersion: Number(columns["schema_version"]),
      data,
      occurredAt: occurredAt.toISOString(),
      correlationId: columns.correlation_id,
      causationId: optional(columns["causation_id"]),
      traceparent: optional(columns["traceparent"]),
    },
  };
}

/** DMS sends jsonb as a string. */
function payloadOf(payload: string): { change: unknown; state: unknown } | undefined {
  try {
    const data = JSON.parse(payload) as { change?: unknown; state?: unknown } | null;
    if (typeof data !== "object" || data === null || !("change" in data) || !("state" in data))
      return undefined;
    return { change: data.change, state: data.state };
  } catch {
    return undefined;
  }
}

/** A time without a zone is UTC: DMS converts timestamptz and may leave the zone out. */
function inUtc(time: string): string {
  return /(Z|[+-]\d\d(:?\d\d)?)$/i.test(time) ? time : `${time.replace(" ", "T")}Z`;
}

/** DMS leaves null columns out unless told otherwise, and may send empty text for them. */
function optional(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
