import { dataRecord, type DmsRecord, dmsTimestamp, unputtableRecord } from "./encode-dms-record";
import type { KinesisWriter } from "./kinesis-writer";
import { formatLsn, type Lsn } from "./lsn";
import type { ReplicationListener, ReplicationStream } from "./replication-stream";
import type { CaptureSettings } from "./settings";
import type { SourceTable } from "./source-database";
import { errorCode } from "../../runtime/function/coded-error";
import { isOfTable, parseTestDecoding, type RowChange } from "./test-decoding-parser";

/** A change whose record is on the stream. */
export interface CapturedRecord {
  operation: RowChange["kind"];
  /** The record's data: column -> value as in its JSON. */
  row: Record<string, unknown>;
  partitionKey: string;
  /** Milliseconds since 1970. */
  committedAt: number;
  /** When Kinesis had taken it; milliseconds since 1970. */
  putAt: number;
}

/** What outlives a connection to the database. */
export interface CaptureState {
  settings: CaptureSettings;
  table: SourceTable;
  writer: KinesisWriter;
  /** Everything up to here is on the stream and acknowledged. */
  confirmed: Lsn;
  /** The last captured change. */
  previous: { transactionId: number; recordId: number } | undefined;
  /** Ends reading and writing. */
  signal: AbortSignal;
  onRecord(record: CapturedRecord): void;
  /** Takes a line about a change that cannot be put. */
  report(line: string): void;
  /** Runs when changes were read, before their records are put on the stream. */
  beforePut: (() => Promise<void>) | undefined;
  /** Runs when records are on the stream, before they are acknowledged to the slot. */
  beforeAcknowledge: (() => Promise<void>) | undefined;
}

/** Reads from one connection and writes to the stream. */
export interface CaptureSession {
  listener: ReplicationListener;
  /**
   * Writes what arrives, and acknowledges it in whole transactions, until the connection or the signal ends it.
   * What was read and not acknowledged is sent again on the next connection: at least once, never lost.
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
    // Of two reports of progress in a row, the later one suffices.
    if (queue.at(-1)?.changes.length === 0) queue.pop();
    queue.push(transaction);
    if (!paused && buffered > PAUSE_BYTES) {
      paused = true;
      stream?.pause();
    }
    wake();
  };
  const listener: ReplicationListener = {
    isWanted: (message) => isOfTable(message, state.table.identifier),
    message(lsn, text) {
      try {
        const message = parsed(text, state.table.identifier, current !== undefined);
        if (message.kind === "begin")
          current = { transactionId: message.transactionId, changes: [], bytes: 0, end: 0n, committedAt: "" };
        else if (message.kind === "commit") {
          if (current) push({ ...current, end: lsn, committedAt: message.at });
          current = undefined;
        } else if (message.kind !== "other" && current) {
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
      // Inside a transaction, the server reports the progress before it.
      if (!current) push({ transactionId: 0, changes: [], bytes: 0, end: lsn, committedAt: "" });
    },
    closed() {
      ended ??= { error: undefined };
      // The server sends this again on the next connection; only a write in progress is finished.
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
          if (last.end > state.confirmed) state.confirmed = last.end;
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

/** A row of the captured table that cannot be read. */
interface UnreadableChange {
  kind: "unreadable";
  reason: string;
}

/** Reads a message. Inside a transaction, a row that cannot be read is one, so that it does not end the task. */
function parsed(text: string, table: string, isInTransaction: boolean) {
  try {
    return parseTestDecoding(text, table);
  } catch (error) {
    if (!isInTransaction || !text.startsWith("table ")) throw error;
    return { kind: "unreadable", reason: errorCode(error) ?? "ERROR" } satisfies UnreadableChange;
  }
}

/** A committed transaction, or (without changes) the server's report that nothing more was committed up to `end`. */
interface Transaction {
  transactionId: number;
  changes: { change: RowChange | UnreadableChange; lsn: Lsn }[];
  bytes: number;
  end: Lsn;
  committedAt: string;
}

type OutgoingRecord = DmsRecord & { committedAt: string; lsn: Lsn; operation?: RowChange["kind"] };

/** Bytes of changes that wait for Kinesis before reading pauses. */
const PAUSE_BYTES = 16 * 1024 * 1024;
/** Changes that are written, and then acknowledged, together. */
const MAX_CHANGES = 2_000;

function countUpTo(queue: Transaction[], maxChanges: number): number {
  let changes = 0;
  const over = queue.findIndex((transaction) => (changes += transaction.changes.length) > maxChanges);
  return over < 0 ? queue.length : Math.max(over, 1);
}

/** @returns false if the signal ended it before everything was written */
async function write(transactions: Transaction[], state: CaptureState): Promise<boolean> {
  const records = transactions.flatMap((transaction) => recordsOf(transaction, state));
  if (records.length === 0) return true;
  await state.beforePut?.();
  const left = await state.writer.write(records, state.signal, {
    onWritten(written, at) {
      for (const record of written) if (isCaptured(record)) state.onRecord(capturedRecord(record, at));
    },
    instead({ committedAt, lsn }, reason) {
      state.report(
        `Kinesis refuses the record of a change at ${formatLsn(lsn)}: ${reason}. The relay quarantines it`,
      );
      return { ...unputtableRecord(state.table, reason, lsn, new Date()), committedAt, lsn };
    },
  });
  if (left.length > 0) return false;
  await state.beforeAcknowledge?.();
  return true;
}

function recordsOf(transaction: Transaction, state: CaptureState): OutgoingRecord[] {
  const { transactionId, committedAt } = transaction;
  return transaction.changes.map(({ change, lsn }, index) => {
    if (change.kind === "unreadable") {
      state.report(`Cannot read a change at ${formatLsn(lsn)} (${change.reason}). The relay quarantines it`);
      return { ...unputtableRecord(state.table, change.reason, lsn, new Date()), committedAt, lsn };
    }
    const recordId = index + 1;
    const position = { transactionId, recordId, previous: state.previous, committedAt, lsn };
    const record = dataRecord(change, state.table, position, state.settings, new Date());
    state.previous = { transactionId, recordId };
    return { ...record, operation: change.kind, committedAt, lsn };
  });
}

type PutRecord = OutgoingRecord & { operation: RowChange["kind"] };

/** Not of a change that could not be read or put. */
function isCaptured(record: OutgoingRecord): record is PutRecord {
  return record.operation !== undefined;
}

function capturedRecord(record: PutRecord, at: Date): CapturedRecord {
  // Read from the record's JSON, so that it shows what was written. It was encoded here: its shape is known.
  const { data: row } = JSON.parse(record.data.toString()) as { data: Record<string, unknown> };
  return {
    operation: record.operation,
    row,
    partitionKey: record.partitionKey,
    committedAt: Date.parse(dmsTimestamp(record.committedAt)),
    putAt: at.getTime(),
  };
}
