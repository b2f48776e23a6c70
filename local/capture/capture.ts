import { setTimeout as delay } from "node:timers/promises";
import type { KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { type Pool } from "pg";
import { codedError, type CodedError, errorCode } from "../../runtime/function/coded-error";
import { type CapturedRecord, type CaptureState, openSession, writeControlRecords } from "./capture-session";
import { caughtUp, type CapturePosition, type MutablePosition, startPosition } from "./capture-position";
import type {
  DatabaseSecret,
  ReplicationTaskInputs,
  SourceEndpointInputs,
  TargetEndpointInputs,
} from "./dms-inputs";
import { startHeartbeat } from "./heartbeat";
import { openKinesisWriter } from "./kinesis-writer";
import { formatLsn } from "./lsn";
import { openReplicationStream, type ReplicationStream } from "./replication-stream";
import { type CaptureSettings, readCaptureSettings } from "./settings";
import { checkSlot } from "./slot";
import { connectionOf, openSource } from "./source";
import { readSourceTables } from "./source-tables";

export type { CapturedRecord, CapturePosition };

/** What a capture works by: the inputs of the DMS resources, and how to reach what they name. */
export interface CaptureOptions {
  source: SourceEndpointInputs;
  target: TargetEndpointInputs;
  task: ReplicationTaskInputs;
  /** Reads the secret as the access role may. */
  resolveSecret(secretArn: string, accessRoleArn: string): Promise<DatabaseSecret>;
  /** How to reach Kinesis; its credentials should be those of `kinesisSettings.serviceAccessRoleArn`. */
  kinesis: KinesisClientConfig;
  /** Told when a connection is lost and found again. @default silent */
  report?: (line: string) => void;
  /** Runs when changes were read, before their records are put on the stream: a place to crash in. What it throws fails the task. */
  beforePut?: () => Promise<void>;
  /** Runs when records are on the stream, before the slot is told: a place to crash in. What it throws fails the task. */
  beforeAcknowledge?: () => Promise<void>;
}

/** A running stand-in for a DMS replication task. */
export interface Capture {
  position(): CapturePosition;
  /** Whether everything that was committed before the call is on the stream. Waits up to half a second for the database's word. */
  isCaughtUp(): Promise<boolean>;
  /** Calls back for each data record, once Kinesis has taken it. @returns how to end that */
  onRecord(listener: (record: CapturedRecord) => void): () => void;
  /** Resolves with the cause if the task fails, as a DMS task does; otherwise stays pending. The slot keeps its position. */
  readonly failed: Promise<CodedError>;
  /** Acknowledges what is on the stream and gives the slot back. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Stands in for AWS DMS: reads the monolith's replication slot with test_decoding, turns each change of a selected table into
 * DMS's record, and writes it to Kinesis, at least once and in order per partition key. Its behaviour comes from the inputs of
 * the declared DMS resources alone, so a wrong mapping breaks a local run as it would break AWS.
 *
 * It goes on where the slot was confirmed last. `cdcStartPosition` may skip ahead of that; it cannot lie before it, since the
 * server gives up what was confirmed. When the database or Kinesis goes away it waits for it to come back.
 *
 * @throws CAPTURE_SETTINGS_INVALID, CAPTURE_MAPPINGS_INVALID, CAPTURE_SECRET_INVALID, CAPTURE_SOURCE_UNREACHABLE, CAPTURE_SLOT_MISSING,
 *   CAPTURE_SLOT_UNUSABLE, CAPTURE_SLOT_IN_USE, CAPTURE_NO_TABLES, CAPTURE_HEARTBEAT_REFUSED, CAPTURE_STREAM_REFUSED. `failed` may
 *   besides resolve with CAPTURE_LOB_TRUNCATED, CAPTURE_PARTITION_KEY_MISSING, CAPTURE_UNREADABLE and CAPTURE_FAILED
 */
export async function startCapture(options: CaptureOptions): Promise<Capture> {
  const { report = () => {} } = options;
  const settings = readCaptureSettings(options.source, options.target, options.task);
  const secret = await options.resolveSecret(settings.secretArn, settings.secretRoleArn);
  const pool = await openSource(settings, secret);
  const stopping = new AbortController();
  const listeners = new Set<(record: CapturedRecord) => void>();
  const position = startPosition();
  const cleanUp: (() => unknown)[] = [() => pool.end()];
  try {
    position.confirm(await checkSlot(pool, settings));
    const tables = await readSourceTables(pool, settings);
    if (settings.heartbeat) {
      const { schema, everyMilliseconds } = settings.heartbeat;
      const heartbeat = await startHeartbeat(pool, schema, everyMilliseconds, secret.username);
      cleanUp.push(() => heartbeat.stop());
    }
    const writer = await openKinesisWriter(options.kinesis, settings.streamArn, report);
    cleanUp.push(() => writer.close());
    const state: CaptureState = {
      settings,
      writer,
      tables,
      previous: undefined,
      signal: stopping.signal,
      onWritten(records) {
        position.count(records.length);
        for (const record of records) for (const listener of listeners) listener(record);
      },
      onConfirmed: (lsn) => position.confirm(lsn),
      beforePut: options.beforePut,
      beforeAcknowledge: options.beforeAcknowledge,
    };
    const task: RunningTask = { pool, settings, secret, state, position, report };
    const first = await connect(task, { slotWaitMilliseconds: SLOT_WAIT_MILLISECONDS, fromStart: true });
    cleanUp.push(() => task.stream?.close());
    await writeControlRecords(state);
    let stopped: Promise<void> | undefined;
    const running = run(task, first).catch((error: unknown) => taskFailure(error));
    const failed = new Promise<CodedError>(
      (resolve) => void running.then((error) => error && resolve(error)),
    );
    const stop = async (): Promise<void> => {
      stopping.abort();
      await running;
      position.connected(false);
      for (const step of cleanUp.splice(0).reverse()) await step();
    };
    // A failed task gives its slot back too.
    void failed.then(() => (stopped ??= stop()));
    return {
      position: () => position.current(),
      isCaughtUp: () => caughtUp(pool, position, () => task.stream),
      onRecord(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      failed,
      stop: () => (stopped ??= stop()),
    };
  } catch (error) {
    stopping.abort();
    for (const step of cleanUp.reverse()) await step();
    throw error;
  }
}

interface RunningTask {
  pool: Pool;
  settings: CaptureSettings;
  secret: DatabaseSecret;
  state: CaptureState;
  position: MutablePosition;
  report: (line: string) => void;
  /** The connection of the moment. */
  stream?: ReplicationStream | undefined;
}

type Session = ReturnType<typeof openSession>;

/** How long another reader may take to give the slot back: a killed one is noticed by the server after a moment. */
const SLOT_WAIT_MILLISECONDS = 10_000;
const FIRST_WAIT_MILLISECONDS = 100;
const LONGEST_WAIT_MILLISECONDS = 2_000;
/** SQLSTATE object_in_use. */
const SLOT_IN_USE = "55006";
/** SQLSTATE undefined_object. */
const SLOT_GONE = "42704";
/** SQLSTATEs that time does not heal: wrong login, no such database, no right, a slot that lost its log. */
const LASTING_ERRORS = ["28P01", "28000", "3D000", "42501", "55000", "42601"];

async function run(task: RunningTask, first: Session): Promise<undefined> {
  const { state, report } = task;
  let session = first;
  for (;;) {
    await session.run(task.stream as ReplicationStream);
    if (state.signal.aborted) return;
    const { stream } = task;
    task.stream = undefined;
    task.position.connected(false);
    await stream?.close();
    report("Lost the connection to the database's log; connecting again");
    const again = await reconnect(task);
    if (!again) return;
    report(`Reading the database's log again, from ${formatLsn(task.position.confirmed())}`);
    session = again;
  }
}

async function reconnect(task: RunningTask): Promise<Session | undefined> {
  const { signal } = task.state;
  for (
    let wait = FIRST_WAIT_MILLISECONDS;
    !signal.aborted;
    wait = Math.min(wait * 2, LONGEST_WAIT_MILLISECONDS)
  ) {
    await delay(wait, undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    try {
      await checkSlot(task.pool, { ...task.settings, startPosition: undefined });
      return await connect(task, { slotWaitMilliseconds: 0, fromStart: false });
    } catch (error) {
      const code = errorCode(error) ?? "";
      // Dropped between the look and the read: the next look finds it missing and says so.
      if (code === SLOT_GONE) continue;
      if (code.startsWith("CAPTURE_") ? code !== "CAPTURE_SLOT_IN_USE" : LASTING_ERRORS.includes(code))
        throw error;
    }
  }
  return undefined;
}

async function connect(
  task: RunningTask,
  how: { slotWaitMilliseconds: number; fromStart: boolean },
): Promise<Session> {
  const { settings, secret, state } = task;
  const deadline = Date.now() + how.slotWaitMilliseconds;
  for (;;) {
    const session = openSession(state);
    try {
      const from = (how.fromStart ? settings.startPosition : undefined) ?? 0n;
      const config = {
        ...connectionOf(settings, secret),
        application_name: `domain-consistency capture ${settings.taskId}`,
      };
      task.stream = await openReplicationStream(config, settings.slotName, from, session.listener);
      task.position.connected(true);
      return session;
    } catch (cause) {
      if (errorCode(cause) !== SLOT_IN_USE) throw cause;
      if (Date.now() >= deadline) {
        throw codedError(
          "CAPTURE_SLOT_IN_USE",
          `The replication slot "${settings.slotName}" is being read by another process: ${(cause as Error).message}. Stop that one first`,
          { cause },
        );
      }
      await delay(FIRST_WAIT_MILLISECONDS);
    }
  }
}

function taskFailure(cause: unknown): CodedError {
  const code = errorCode(cause);
  // Made by codedError, by its prefix.
  if (code?.startsWith("CAPTURE_")) return cause as CodedError;
  return codedError("CAPTURE_FAILED", `Change data capture failed: ${(cause as Error).message}`, { cause });
}
