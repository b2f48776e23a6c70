import type { KinesisStreamRecord } from "aws-lambda";
import { OUTBOX_TABLE } from "../postgres/names";
import { type DecodedEvent, decodeCaptured } from "./decode-captured";
import type { KnownEvents } from "./known-events";
import { makeRelay } from "./relay-batch";

/**
 * Makes the relay of the monolith: from Kinesis, where AWS DMS writes what it captured from the outbox, to
 * the bus.
 *
 * @param known the events of its modules; others are quarantined
 */
export function makeKinesisRelay(known: KnownEvents) {
  return makeRelay(known, ({ kinesis }: KinesisStreamRecord) => {
    const payload = Buffer.from(kinesis.data, "base64");
    const { sequenceNumber, partitionKey, approximateArrivalTimestamp: arrivedAt } = kinesis;
    return { ...decodeDmsRecord(payload), sequenceNumber, partitionKey, arrivedAt, payload: () => payload };
  });
}

/** A decoded Kinesis record. */
export type DecodedRecord = DecodedEvent | { kind: "ignored" };

interface DmsRecord {
  data?: Record<string, unknown> | null;
  control?: unknown;
  metadata?: Record<string, unknown>;
}

/** Operations that add a row to the outbox; "load" is a row that a full load read. */
const INSERTS: unknown[] = ["insert", "load"];

/**
 * Decodes a record that AWS DMS wrote to Kinesis (MessageFormat json or json-unformatted). Control records,
 * other tables, updates and deletions are ignored: only an insert into the outbox is an event. Source: AWS
 * DMS user guide, Kinesis target.
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
  if (!INSERTS.includes(metadata["operation"])) return { kind: "ignored" };
  const row = parsed?.data;
  if (typeof row !== "object" || row === null)
    return { kind: "undecodable", reason: "The record has no data." };
  return decodeCaptured({
    id: row["id"],
    aggregate: row["aggregate"],
    aggregateId: row["aggregate_id"],
    aggregateVersion: row["aggregate_version"],
    type: row["type"],
    schemaVersion: row["schema_version"],
    // DMS sends jsonb as a string.
    payload: row["payload"],
    occurredAt: row["occurred_at"],
    correlationId: row["correlation_id"],
    causationId: row["causation_id"],
    traceparent: row["traceparent"],
  });
}
