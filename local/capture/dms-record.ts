import { codedError } from "../../runtime/function/coded-error";
import { columnValue, type ColumnValue, dmsTimestamp } from "./column-value";
import { formatLsn, type Lsn } from "./lsn";
import type { CaptureSettings, RecordSettings } from "./settings";
import type { SourceColumn, SourceTable } from "./source-tables";
import type { PartitionKeyType } from "./table-mappings";
import type { DecodedColumn, RowChange } from "./test-decoding-parser";

/** A record for Kinesis. */
export interface DmsRecord {
  partitionKey: string;
  /** UTF-8 JSON. */
  data: Buffer;
}

/** Where in the log a change stands. */
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

/** A data record and what it says. */
export interface DataRecord extends DmsRecord {
  row: Record<string, ColumnValue>;
}

/**
 * Makes the record of a changed row as DMS writes it: `{"data": {...}, "metadata": {...}}`.
 *
 * @param now when the record is made
 * @throws CAPTURE_PARTITION_KEY_MISSING, CAPTURE_LOB_TRUNCATED
 */
export function dataRecord(
  change: RowChange,
  table: SourceTable,
  position: ChangePosition,
  settings: CaptureSettings,
  now: Date,
): DataRecord {
  const { record } = settings;
  const row = rowOf(change, table, record);
  const { type, value } = partitionKeyOf(row, change, table, position, settings);
  const metadata = {
    timestamp: dmsTime(now),
    "record-type": "data",
    operation: change.kind,
    "partition-key-type": type,
    ...(record.partitionValue && type !== "schema-table" ? { "partition-key-value": value } : {}),
    "schema-name": table.schema,
    "table-name": table.name,
    ...(record.transactionDetails ? transactionDetails(change, position) : {}),
  };
  const data = table.mapping?.action === "map-record-to-document" ? { _doc: row } : row;
  return { row, partitionKey: value, data: encode({ data, metadata }, record) };
}

/**
 * Makes the control record that tells of a table when the task starts. Its partition key ignores the object mapping. Without
 * IncludeControlDetails it has metadata only.
 */
export function createTableRecord(
  table: SourceTable,
  { taskId, record }: CaptureSettings,
  now: Date,
): DmsRecord {
  const metadata = {
    timestamp: dmsTime(now),
    "record-type": "control",
    operation: "create-table",
    "partition-key-type": "task-id",
    ...(record.partitionValue ? { "partition-key-value": taskId } : {}),
    "schema-name": table.schema,
    "table-name": table.name,
  };
  const control = { "table-def": { columns: definitionOf(table), "primary-key": table.primaryKey } };
  return {
    partitionKey: `${taskId}.${table.schema}.${table.name}`,
    data: encode(record.controlDetails ? { control, metadata } : { metadata }, record),
  };
}

function rowOf(change: RowChange, table: SourceTable, settings: RecordSettings): Record<string, ColumnValue> {
  const given = new Map(change.columns.map((column) => [column.name, column]));
  const row: Record<string, ColumnValue> = {};
  for (const column of table.columns) {
    if (table.mapping?.excludeColumns.includes(column.name)) continue;
    if (column.lob && !settings.lobs.included) continue;
    const value = valueOf(given.get(column.name), column, change, settings);
    if (value === undefined) continue;
    if ((value === null || value === "") && !settings.nullAndEmpty) continue;
    row[column.name] = value;
  }
  return row;
}

function valueOf(
  given: DecodedColumn | undefined,
  column: SourceColumn,
  change: RowChange,
  settings: RecordSettings,
): ColumnValue | undefined {
  // Of a deleted row the log has the primary key only; DMS writes the other columns as null.
  if (!given) return change.kind === "delete" ? null : undefined;
  if (given.value === null || given.value === undefined) return given.value;
  return columnValue(given.value, column, settings);
}

function partitionKeyOf(
  row: Record<string, ColumnValue>,
  change: RowChange,
  table: SourceTable,
  position: ChangePosition,
  { defaultPartitionKeyType, record }: CaptureSettings,
): { type: PartitionKeyType; value: string } {
  const { mapping, schema, name } = table;
  const type = mapping?.partitionKeyType ?? defaultPartitionKeyType;
  const textOf = (column: string) => change.columns.find((given) => given.name === column)?.value ?? "";
  const valueOfType = (): string => {
    switch (type) {
      case "schema-table":
        return `${schema}.${name}`;
      case "transaction-id":
        return String(position.transactionId);
      case "primary-key": {
        const key = table.primaryKey.map(textOf).join(".");
        return record.partitionIncludesTable ? `${schema}.${name}.${key}` : key;
      }
      case "constant":
        return mapping?.partitionKey ?? "";
      case "attribute-name": {
        const value = row[mapping?.partitionKey ?? ""];
        return value === undefined || value === null ? "" : String(textOf(mapping?.partitionKey ?? ""));
      }
    }
  };
  const value = valueOfType();
  if (value === "") {
    throw codedError(
      "CAPTURE_PARTITION_KEY_MISSING",
      `A row (${change.kind}) of table "${schema}.${name}" has no value for its partition key (${type}${mapping?.partitionKey ? ` "${mapping.partitionKey}"` : ""}): ` +
        "Kinesis takes no record without one. Choose a column that is never null and not a LOB that the task leaves out",
    );
  }
  return { type, value };
}

/** The middle of DMS's stream position, as in records that were captured from PostgreSQL. */
const POSITION_MARKS = { insert: 3, update: 2, delete: 2 };

function transactionDetails(
  change: RowChange,
  { committedAt, transactionId, recordId, previous, lsn }: ChangePosition,
) {
  const [high = "", low = ""] = formatLsn(lsn).split("/");
  const padded = `${high.padStart(8, "0")}/${low.padStart(8, "0")}`;
  return {
    "commit-timestamp": dmsTimestamp(committedAt),
    "transaction-id": transactionId,
    "transaction-record-id": recordId,
    ...(previous
      ? { "prev-transaction-id": previous.transactionId, "prev-transaction-record-id": previous.recordId }
      : {}),
    "stream-position": `${padded}.${POSITION_MARKS[change.kind]}.${padded}`,
  };
}

/** DMS's names of types in a table definition; what is not listed is a string. */
const DEFINED_TYPES: Record<string, string> = {
  smallint: "INT16",
  integer: "INT32",
  bigint: "INT64",
  numeric: "NUMERIC",
  real: "REAL4",
  "double precision": "REAL8",
  date: "DATE",
  "timestamp with time zone": "TIMESTAMP",
  "timestamp without time zone": "TIMESTAMP",
  bytea: "BLOB",
};

function definitionOf(table: SourceTable): Record<string, object> {
  return Object.fromEntries(
    table.columns.map(({ name, type, length, nullable }) => [
      name,
      { type: DEFINED_TYPES[type] ?? "STRING", ...(length === undefined ? {} : { length }), nullable },
    ]),
  );
}

/** ISO 8601 with six digits, of which a Date knows three. */
function dmsTime(time: Date): string {
  return time.toISOString().replace("Z", "000Z");
}

function encode(record: object, { unformatted }: RecordSettings): Buffer {
  return Buffer.from(unformatted ? `${JSON.stringify(record)}\n` : JSON.stringify(record, null, "\t"));
}
