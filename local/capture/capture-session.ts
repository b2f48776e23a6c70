import { dmsTimestamp } from "./column-value";
import { createTableRecord, dataRecord, type DataRecord } from "./dms-record";
import type { KinesisWriter } from "./kinesis-writer";
import type { Lsn } from "./lsn";
import type { ReplicationListener, ReplicationStream } from "./replication-stream";
import type { CaptureSettings } from "./settings";
import { type SourceTable, tableKey } from "./source-tables";
import { parseTestDecoding, type RowChange } from "./test-decoding-parser";

/** A record that is on the stream, and the change it tells of. */
export interface CapturedRecord {
  schema: string;
  table: string;
  operation: RowChange["kind"];
  /** The record's data: column -> value as in its JSON. */
  row: Record<string, unknown>;
  partitionKey: string;
  transactionId: number;
  /** Milliseconds since 1970. */
  committedAt: number;
  /** When Kinesis had taken it; milliseconds since 1970. */
  putAt: number;
}

/** What outlives a connection to the database. */
export interface CaptureState {
  settings: CaptureSettings;
  writer: KinesisWriter;
  tables: Map<string, SourceTable>;
  /** The captured change before the next one. */
  previous: { transactionId: number; recordId: number } | undefined;
  /** Ends reading and writing. */
  signal: AbortSignal;
  onWritten(records: CapturedRecord[]): void;
  /** Everything up to here is on the stream and acknowledged. */
  onConfirmed(lsn: Lsn): void;
  /** Runs when changes were read and before their records are put on the stream. */
  beforePut: (() => Promise<void>) | undefined;
  /** Runs when records are on the stream and before the slot is told of it. */
  beforeAcknowledge: (() => Promise<void>) | undefined;
}

/** Reads from one connection and writes to the stream. */
export interface CaptureSession {
  listener: ReplicationListener;
  /**
   * Writes what arrives, acknowledging it transaction by transaction, until the connection or the signal ends it. What was
   * read and not acknowledged is sent again by the next connection: at least once, never not at all.
   *
   * @throws what makes the task fail
   */
  run(stream: ReplicationStream): Promise<void>;
}

/** Opens a session for a stream that is about to start. */
export function openSession(state: CaptureState): CaptureSession {
  const queue: Transaction[] = [];
  let current: Transaction | undefined;
  let buffered = 0;
  let stream: ReplicationStream | undefined;
  let paused = false;
  let ended: { error: unknown } | undefined;
  let wake = (): void => {};

  const push = (transaction: Transaction): void => {
    const last = queue.at(-1);
    // Progress alone: the newest says it all.
    if (last && last.changes.length === 0) queue.pop();
    queue.push(transaction);
    if (!paused && buffered > PAUSE_BYTES) {
      paused = true;
      stream?.pause();
    }
    wake();
  };
  const listener: ReplicationListener = {
    message(lsn, text) {
      try {
        const message = parseTestDecoding(text);
        if (message.kind === "begin")
          current = { transactionId: message.transactionId, changes: [], bytes: 0, end: 0n, committedAt: "" };
        else if (message.kind === "commit") {
          if (current) push({ ...current, end: lsn, committedAt: message.at ?? "" });
          current = undefined;
        } else if (message.kind !== "other" && current && isCaptured(state.tables, message)) {
          current.changes.push({ change: message, lsn });
          current.bytes += text.length;
          buffered += text.length;
        }
      } catch (error) {
        ended ??= { error };
        wake();
      }
    },
    progress(lsn) {
      // Inside a transaction the server's progress is that before it.
      if (!current) push({ transactionId: 0, changes: [], bytes: 0, end: lsn, committedAt: "" });
    },
    closed() {
      ended ??= { error: undefined };
      // The next connection is sent this again; only what is being written is finished.
      queue.length = 0;
      wake();
    },
  };

  return {
    listener,
    async run(opened) {
      stream = opened;
      if (paused) stream.pause();
      const stopWaiting = (): void => wake();
      state.signal.addEventListener("abort", stopWaiting);
      try {
        for (;;) {
          if (ended?.error !== undefined) throw ended.error;
          if (state.signal.aborted) return;
          const transactions = queue.splice(0, countUpTo(queue, MAX_CHANGES));
          const last = transactions.at(-1);
          if (!last) {
            if (ended) return;
            await new Promise<void>((resolve) => (wake = resolve));
            continue;
          }
          if (!(await write(transactions, state))) return;
          stream.acknowledge(last.end);
          state.onConfirmed(last.end);
          buffered -= transactions.reduce((sum, { bytes }) => sum + bytes, 0);
          if (paused && buffered < PAUSE_BYTES / 2) {
            paused = false;
            stream.resume();
          }
        }
      } finally {
        state.signal.removeEventListener("abort", stopWaiting);
      }
    },
  };
}

/** Writes the control records with which a task starts. */
export async function writeControlRecords({ settings, writer, tables, signal }: CaptureState): Promise<void> {
  const records = [...tables.values()].map((table) => createTableRecord(table, settings, new Date()));
  await writer.write(records, signal, () => {});
}

/** A committed transaction, or (without changes) the server's word that there was nothing more up to `end`. */
interface Transaction {
  transactionId: number;
  changes: { change: RowChange; lsn: Lsn }[];
  bytes: number;
  end: Lsn;
  committedAt: string;
}

type OutgoingRecord = DataRecord & { table: SourceTable; change: RowChange; transaction: Transaction };

/** Bytes of changes that wait for Kinesis before the reading pauses. */
const PAUSE_BYTES = 16 * 1024 * 1024;
/** Changes that are written, and then acknowledged, together. */
const MAX_CHANGES = 2_000;

function isCaptured(tables: Map<string, SourceTable>, { schema, table, kind }: RowChange): boolean {
  const captured = tables.get(tableKey(schema, table));
  // AWS DMS user guide, PostgreSQL source: without a primary key, DMS ignores updates and deletions.
  return captured !== undefined && (kind === "insert" || captured.primaryKey.length > 0);
}

function countUpTo(queue: Transaction[], maxChanges: number): number {
  let changes = 0;
  const over = queue.findIndex((transaction) => (changes += transaction.changes.length) > maxChanges);
  return over < 0 ? queue.length : Math.max(over, 1);
}

/** @returns false if the signal ended it before all was written */
async function write(transactions: Transaction[], state: CaptureState): Promise<boolean> {
  const records = transactions.flatMap((transaction) => recordsOf(transaction, state));
  if (records.length === 0) return true;
  await state.beforePut?.();
  const left = await state.writer.write(records, state.signal, (written, at) =>
    state.onWritten(written.map((record) => capturedRecord(record, at))),
  );
  if (left.length > 0) return false;
  await state.beforeAcknowledge?.();
  return true;
}

function recordsOf(transaction: Transaction, state: CaptureState): OutgoingRecord[] {
  const { transactionId, committedAt } = transaction;
  return transaction.changes.map(({ change, lsn }, index) => {
    const table = state.tables.get(tableKey(change.schema, change.table));
    if (!table) throw new Error(`Table "${change.schema}.${change.table}" was captured but is not known`);
    const recordId = index + 1;
    const position = { transactionId, recordId, previous: state.previous, committedAt, lsn };
    const record = dataRecord(change, table, position, state.settings, new Date());
    state.previous = { transactionId, recordId };
    return { ...record, table, change, transaction };
  });
}

function capturedRecord(
  { data, partitionKey, table, change, transaction }: OutgoingRecord,
  at: Date,
): CapturedRecord {
  // What the record says, and not what was meant: its JSON. It was made here, so its shape is known.
  const { data: written } = JSON.parse(data.toString()) as {
    data: Record<string, unknown> & { _doc?: Record<string, unknown> };
  };
  return {
    schema: table.schema,
    table: table.name,
    operation: change.kind,
    row: table.mapping?.action === "map-record-to-document" ? (written._doc ?? {}) : written,
    partitionKey,
    transactionId: transaction.transactionId,
    committedAt: Date.parse(dmsTimestamp(transaction.committedAt)),
    putAt: at.getTime(),
  };
}
