import { codedError } from "../../runtime/function/coded-error";
import { formatLsn, type Lsn } from "./lsn";
import type { CaptureSettings } from "./settings";
import type { SourceColumn, SourceTable } from "./source-database";
import type { RowChange } from "./test-decoding-parser";

/** A record for Kinesis. */
export interface DmsRecord {
  partitionKey: string;
  /** UTF-8 JSON. */
  data: Buffer;
}

/** The position of a change in the log. */
export interface ChangePosition {
  transactionId: number;
  /** From 1, counting the captured changes of its transaction. */
  recordId: number;
  /** Of the captured change before it; undefined for the first one since the task started. */
  previous: { transactionId: number; recordId: number } | undefined;
  /** As test_decoding writes it, in UTC. */
  committedAt: string;
  lsn: Lsn;
}

/**
 * Encodes a changed row as DMS does: `{"data": {...}, "metadata": {...}}` and a line's end. Source: AWS DMS user
 * guide, Kinesis target.
 *
 * A row without a partition key that Kinesis takes goes under its table's name: it is wrong, and its record must reach
 * the relay's quarantine and not stop the task at every start.
 *
 * @param now when the record is made
 * @throws CAPTURE_LOB_TRUNCATED
 */
export function dataRecord(
  change: RowChange,
  table: SourceTable,
  position: ChangePosition,
  settings: CaptureSettings,
  now: Date,
): DmsRecord {
  const data: Record<string, string | number | null> = {};
  for (const column of table.columns) {
    const value = columnValue(change, column, settings.maxLobBytes);
    if (value !== undefined) data[column.name] = value;
  }
  const key = String(data[settings.partitionKeyColumn] ?? "");
  const partitionKey = isPartitionKey(key) ? key : fallbackKey(table);
  const metadata = {
    timestamp: dmsTime(now),
    "record-type": "data",
    operation: change.kind,
    "partition-key-type": "attribute-name",
    "partition-key-value": partitionKey,
    "schema-name": table.schema,
    "table-name": table.name,
    ...transactionDetails(change, position),
  };
  return { partitionKey, data: encode({ data, metadata }) };
}

/** Kinesis takes keys of 1 to 256 characters. Source: Amazon Kinesis API, PutRecords. */
function isPartitionKey(key: string): boolean {
  return key !== "" && [...key].length <= 256;
}

function fallbackKey({ schema, name }: SourceTable): string {
  return `${schema}.${name}`;
}

/**
 * Encodes a change that cannot be put on the stream, because it cannot be read or Kinesis refuses it: a record of an
 * insert without data, which the relay quarantines. The row itself is in the outbox.
 *
 * @param lsn of the change, to find the row by
 */
export function unputtableRecord(table: SourceTable, reason: string, lsn: Lsn, now: Date): DmsRecord {
  const metadata = {
    timestamp: dmsTime(now),
    "record-type": "data",
    operation: "insert",
    "partition-key-type": "schema-table",
    "schema-name": table.schema,
    "table-name": table.name,
    "stream-position": formatLsn(lsn),
  };
  return { partitionKey: fallbackKey(table), data: encode({ metadata, unputtable: reason }) };
}

/**
 * Encodes the control record that DMS writes for a table when the task starts. Its partition key ignores the
 * object mapping. Without includeControlDetails it has metadata only.
 */
export function createTableRecord({ schema, name }: SourceTable, taskId: string, now: Date): DmsRecord {
  const metadata = {
    timestamp: dmsTime(now),
    "record-type": "control",
    operation: "create-table",
    "partition-key-type": "task-id",
    "partition-key-value": taskId,
    "schema-name": schema,
    "table-name": name,
  };
  return { partitionKey: `${taskId}.${schema}.${name}`, data: encode({ metadata }) };
}

/**
 * Writes a time as DMS does: "2024-07-29T00:58:17.974340Z".
 *
 * @param text PostgreSQL's ISO notation of a session in UTC, e.g. "2024-07-29 00:58:17.97434+00"
 */
export function dmsTimestamp(text: string): string {
  // AWS DMS user guide, PostgreSQL source: the infinities become these dates.
  if (text === "infinity") return "9999-12-31T23:59:59.000000Z";
  if (text === "-infinity") return "4713-01-01T00:00:00.000000Z BC";
  const [, date, time, fraction = "", era = ""] =
    /^(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00( BC)?$/.exec(text) ?? [];
  return date === undefined ? text : `${date}T${time}.${fraction.padEnd(6, "0")}Z${era}`;
}

/** @returns undefined for a column that the record does not have */
function columnValue(
  { kind, values }: RowChange,
  { name, type }: SourceColumn,
  maxLobBytes: number,
): string | number | null | undefined {
  // With the default replica identity the log has only a deleted row's key; DMS writes null for the rest.
  if (!values.has(name)) return kind === "delete" ? null : undefined;
  const text = values.get(name);
  if (text === null || text === undefined) return text;
  switch (type) {
    case "integer":
      return Number(text);
    case "timestamp with time zone":
      return dmsTimestamp(text);
    case "jsonb":
      checkLob(text, name, maxLobBytes);
      return text;
    case "uuid":
    case "character varying":
      return text;
  }
}

/** DMS counts two bytes a character in a LOB such as jsonb, or four if one is outside the basic plane. */
function checkLob(text: string, column: string, maxBytes: number): void {
  // Two UTF-16 units are one character of four bytes.
  const bytes = text.length * (/[\ud800-\udbff]/.test(text) ? 4 : 2);
  if (bytes <= maxBytes) return;
  throw codedError(
    "CAPTURE_LOB_TRUNCATED",
    `The column "${column}" has a value of ${Math.ceil(bytes / 1024)} KiB as DMS counts it, more than the task's LobMaxSize of ` +
      `${maxBytes / 1024} KiB, and failTasksOnLobTruncation is on. Raise LobMaxSize`,
  );
}

/** The middle of DMS's stream position, as in records that were captured from PostgreSQL. */
const POSITION_MARKS = { insert: 3, update: 2, delete: 2 };

function transactionDetails({ kind }: RowChange, position: ChangePosition) {
  const { committedAt, transactionId, recordId, previous, lsn } = position;
  const [high = "", low = ""] = formatLsn(lsn).split("/");
  const padded = `${high.padStart(8, "0")}/${low.padStart(8, "0")}`;
  return {
    "commit-timestamp": dmsTimestamp(committedAt),
    "transaction-id": transactionId,
    "transaction-record-id": recordId,
    ...(previous && {
      "prev-transaction-id": previous.transactionId,
      "prev-transaction-record-id": previous.recordId,
    }),
    "stream-position": `${padded}.${POSITION_MARKS[kind]}.${padded}`,
  };
}

/** ISO 8601 with six digits, of which a Date knows three. */
function dmsTime(time: Date): string {
  return time.toISOString().replace("Z", "000Z");
}

/** As messageFormat "json-unformatted". */
function encode(record: object): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`);
}
