import { setTimeout as delay } from "node:timers/promises";
import type { KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { type Pool } from "pg";
import { codedError, type CodedError, errorCode } from "../../runtime/function/coded-error";
import { type CapturedRecord, type CaptureSession, type CaptureState, openSession } from "./capture-session";
import { createTableRecord } from "./encode-dms-record";
import { openKinesisWriter } from "./kinesis-writer";
import { formatLsn, parseLsn } from "./lsn";
import { openReplicationStream, type ReplicationStream } from "./replication-stream";
import { type DeclaredReplication, readCaptureSettings } from "./settings";
import {
  checkSlot,
  connectionOf,
  type DatabaseSecret,
  openSource,
  readSourceTable,
  startHeartbeat,
} from "./source-database";

export type { CapturedRecord, DatabaseSecret };

/** The declared DMS resources, and how to reach what they name. */
export interface CaptureOptions extends DeclaredReplication {
  /** Reads the secret with the given role. */
  resolveSecret(secretArn: string, accessRoleArn: string): Promise<DatabaseSecret>;
  /** How to reach Kinesis with the given role. */
  kinesisAs(serviceAccessRoleArn: string): KinesisClientConfig;
  /** Called for each data record, once Kinesis has taken it. */
  onRecord?: (record: CapturedRecord) => void;
  /** Called with a line when a connection is lost and when it is restored. @default silent */
  report?: (line: string) => void;
  /** Runs when changes were read, before their records are put on the stream. Its error fails the task. */
  beforePut?: (() => Promise<void>) | undefined;
  /** Runs when records are on the stream, before they are acknowledged. Its error fails the task. */
  beforeAcknowledge?: (() => Promise<void>) | undefined;
}

/** A running stand-in for a DMS replication task. */
export interface Capture {
  /** Whether everything that was committed before the call is on the stream. Waits up to half a second. */
  isCaughtUp(): Promise<boolean>;
  /** Resolves with the cause if the task fails, as a DMS task does. The slot then keeps its position. */
  readonly failed: Promise<CodedError>;
  /** Acknowledges what is on the stream and releases the slot. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Stands in for AWS DMS: reads the monolith's replication slot with test_decoding, encodes each change of the
 * captured table as DMS does, and writes it to Kinesis, at least once and in order per partition key. It is
 * configured only by the declared DMS resources, so that a wrong declaration breaks a local run as it would break
 * AWS.
 *
 * It continues from the slot's confirmed position. When the database or Kinesis is unavailable, it waits and
 * reconnects.
 *
 * @throws CAPTURE_SETTINGS_INVALID, CAPTURE_MAPPINGS_INVALID, CAPTURE_SECRET_INVALID, CAPTURE_SOURCE_UNREACHABLE,
 *   CAPTURE_SLOT_MISSING, CAPTURE_SLOT_UNUSABLE, CAPTURE_SLOT_IN_USE, CAPTURE_TABLE_MISSING,
 *   CAPTURE_COLUMN_UNSUPPORTED, CAPTURE_HEARTBEAT_REFUSED, CAPTURE_STREAM_REFUSED. `failed` may also resolve with
 *   CAPTURE_LOB_TRUNCATED, CAPTURE_UNREADABLE and CAPTURE_FAILED. A single row never makes it fail: what cannot be read
 *   or put goes into the relay's quarantine
 */
export async function startCapture(options: CaptureOptions): Promise<Capture> {
  const { report = () => {}, onRecord = () => {}, beforePut, beforeAcknowledge } = options;
  const settings = readCaptureSettings(options);
  const secret = await options.resolveSecret(settings.secretArn, settings.secretRoleArn);
  const pool = await openSource(settings, secret);
  const stopping = new AbortController();
  const cleanUp: (() => unknown)[] = [() => pool.end()];
  try {
    const confirmed = await checkSlot(pool, settings);
    const table = await readSourceTable(pool, settings);
    cleanUp.push(await startHeartbeat(pool, settings.heartbeat, secret.username));
    const kinesis = options.kinesisAs(settings.streamRoleArn);
    const writer = await openKinesisWriter(kinesis, settings.streamArn, report);
    cleanUp.push(() => writer.close());
    const task: RunningTask = {
      settings,
      table,
      writer,
      confirmed,
      previous: undefined,
      signal: stopping.signal,
      onRecord,
      beforePut,
      beforeAcknowledge,
      pool,
      secret,
      report,
      stream: undefined,
    };
    const first = await connect(task, SLOT_WAIT_MILLISECONDS);
    cleanUp.push(() => task.stream?.close());
    await writer.write([createTableRecord(table, settings.taskId, new Date())], stopping.signal);
    let stopped: Promise<void> | undefined;
    const running = run(task, first).catch((error: unknown) => taskFailure(error));
    const failed = new Promise<CodedError>(
      (resolve) => void running.then((error) => error && resolve(error)),
    );
    const stop = async (): Promise<void> => {
      stopping.abort();
      await running;
      for (const step of cleanUp.splice(0).reverse()) await step();
    };
    // A failed task releases its slot too.
    void failed.then(() => (stopped ??= stop()));
    return { isCaughtUp: () => isCaughtUp(task), failed, stop: () => (stopped ??= stop()) };
  } catch (error) {
    stopping.abort();
    for (const step of cleanUp.reverse()) await step();
    throw error;
  }
}

interface RunningTask extends CaptureState {
  pool: Pool;
  secret: DatabaseSecret;
  /** The current connection. */
  stream: ReplicationStream | undefined;
}

/** How long another reader may take to release the slot: the server notices a killed one after a moment. */
const SLOT_WAIT_MILLISECONDS = 10_000;
const FIRST_WAIT_MILLISECONDS = 100;
const LONGEST_WAIT_MILLISECONDS = 2_000;
/** How long `isCaughtUp` waits for the server's progress and for Kinesis. */
const ANSWER_MILLISECONDS = 500;
const POLL_MILLISECONDS = 5;
/** SQLSTATE object_in_use. */
const SLOT_IN_USE = "55006";
/**
 * SQLSTATEs that a retry does not resolve: wrong login, no such database, missing privilege, a slot that lost its
 * log. If the slot is dropped between the check and the read, the next check finds it missing and reports that.
 */
const LASTING_ERRORS = ["28P01", "28000", "3D000", "42501", "55000", "42601"];

async function run(task: RunningTask, first: CaptureSession): Promise<undefined> {
  let session = first;
  for (;;) {
    await session.run(task.stream as ReplicationStream);
    if (task.signal.aborted) return;
    const { stream } = task;
    task.stream = undefined;
    await stream?.close();
    task.report("Lost the connection to the replication slot; reconnecting");
    const again = await reconnect(task);
    if (!again) return;
    task.report(`Reading the replication slot again, from ${formatLsn(task.confirmed)}`);
    session = again;
  }
}

/** @returns undefined if the task was stopped meanwhile */
async function reconnect(task: RunningTask): Promise<CaptureSession | undefined> {
  const { signal } = task;
  for (
    let wait = FIRST_WAIT_MILLISECONDS;
    !signal.aborted;
    wait = Math.min(wait * 2, LONGEST_WAIT_MILLISECONDS)
  ) {
    await delay(wait, undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    try {
      await checkSlot(task.pool, task.settings);
      return await connect(task, 0);
    } catch (error) {
      const code = errorCode(error) ?? "";
      if (code.startsWith("CAPTURE_") ? code !== "CAPTURE_SLOT_IN_USE" : LASTING_ERRORS.includes(code))
        throw error;
    }
  }
  return undefined;
}

async function connect(task: RunningTask, slotWaitMilliseconds: number): Promise<CaptureSession> {
  const { settings, secret } = task;
  const deadline = Date.now() + slotWaitMilliseconds;
  for (;;) {
    const session = openSession(task);
    try {
      const connection = connectionOf(settings, secret);
      task.stream = await openReplicationStream(connection, settings.slotName, session.listener);
      return session;
    } catch (cause) {
      if (errorCode(cause) !== SLOT_IN_USE) throw cause;
      if (Date.now() >= deadline) {
        throw codedError(
          "CAPTURE_SLOT_IN_USE",
          `Another process reads the replication slot "${settings.slotName}": ${(cause as Error).message}. Stop that process first`,
          { cause },
        );
      }
      await delay(FIRST_WAIT_MILLISECONDS);
    }
  }
}

async function isCaughtUp(task: RunningTask): Promise<boolean> {
  try {
    const { rows } = await task.pool.query<{ lsn: string }>("select pg_current_wal_flush_lsn() as lsn");
    const committed = parseLsn(rows[0]?.lsn ?? "");
    if (committed === undefined) return false;
    // By itself the server reports its progress only now and then.
    task.stream?.askProgress();
    const deadline = Date.now() + ANSWER_MILLISECONDS;
    while (task.confirmed < committed && Date.now() < deadline) await delay(POLL_MILLISECONDS);
    return task.confirmed >= committed;
  } catch {
    return false; // the database is unavailable
  }
}

function taskFailure(cause: unknown): CodedError {
  const code = errorCode(cause);
  // codedError made it, as its prefix shows.
  if (code?.startsWith("CAPTURE_")) return cause as CodedError;
  return codedError("CAPTURE_FAILED", `Change data capture failed: ${(cause as Error).message}`, { cause });
}
