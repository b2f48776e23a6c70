import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { codedError } from "../../runtime/function/coded-error";
import { cleanUpRun } from "./clean-up-run";
import { isRunning, machineName, processReference } from "./process-identity";
import type { RunRecord } from "./run-record";
import { readRunRecord, writeRunRecord } from "./run-record";

/** The folder of one run and its record, run.json. */
export interface RunDirectory {
  /** E.g. "20261124-093015-5f3a9c": unique, sorts by time, safe in file names. */
  readonly id: string;
  readonly projectRoot: string;
  /** Absolute path of the run's own folder; removed on close. */
  readonly path: string;
  /** The record as it stands. */
  readonly record: Readonly<RunRecord>;
  /**
   * Aborted when closing begins. Whoever makes something that the record names has to call `closing.throwIfAborted()` first
   * and make it in the same tick, or else it would be made when nobody removes it any more.
   */
  readonly closing: AbortSignal;
  /**
   * Changes top-level keys of run.json at once (synchronously, so that a process that was just started is on record before
   * anything else can happen). A key set to undefined is removed. After `close` it does nothing.
   */
  update(patch: Record<string, unknown> | ((record: Readonly<RunRecord>) => Record<string, unknown>)): void;
  /**
   * Stops what still runs on the run's account and removes everything that belongs to it.
   *
   * @throws RUN_NOT_CLEANED naming what is left over
   */
  close(): Promise<void>;
}

/** A run whose runner is alive. */
export interface LiveRun extends RunRecord {
  /** Absolute path of the run's folder. */
  path: string;
}

const UNFINISHED_SUFFIX = ".new";

/**
 * Makes the folder of a new run of this process, `<projectRoot>/.domains/runs/<id>/`.
 *
 * @throws RUN_FOLDER_NOT_WRITABLE
 */
export function openRunDirectory(projectRoot: string): Promise<RunDirectory> {
  // A promise rather than a throw, so that callers have one way to fail.
  return Promise.resolve().then(() => createRunDirectory(projectRoot));
}

/** The runs of this machine whose runner is alive, newest first. */
export function liveRuns(projectRoot: string): LiveRun[] {
  const machine = machineName();
  return runFolders(projectRoot)
    .filter((path) => !path.endsWith(UNFINISHED_SUFFIX))
    .flatMap((path) => {
      const record = readRunRecord(path);
      return record?.machine === machine && isRunning(record.runner) ? [{ ...record, path }] : [];
    })
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt) || b.id.localeCompare(a.id));
}

/** Where things are kept that outlive a run and can be made again, such as the emulator's Python environment. */
export function cacheFolder(projectRoot: string): string {
  return join(projectRoot, ".domains", "cache");
}

/** Absolute paths of all run folders, dead or alive. */
export function runFolders(projectRoot: string): string[] {
  try {
    return readdirSync(runsFolder(projectRoot)).map((name) => join(runsFolder(projectRoot), name));
  } catch {
    return [];
  }
}

function createRunDirectory(projectRoot: string): RunDirectory {
  const startedAt = new Date().toISOString();
  const id = `${startedAt.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}-${randomBytes(3).toString("hex")}`;
  const path = join(runsFolder(projectRoot), id);
  const runner = processReference(process.pid);
  if (!runner)
    throw codedError(
      "PROCESS_UNKNOWN",
      "The system does not tell when this process started; neither /proc nor ps works",
    );
  let record: RunRecord = {
    id,
    startedAt,
    machine: machineName(),
    runner,
    children: [],
    dataFolders: [],
    databases: [],
  };
  const closing = new AbortController();
  let closed: Promise<void> | undefined;
  try {
    // Appears with its record in it, or not at all: a sweep must never see a run that looks ownerless.
    const unnamed = `${path}${UNFINISHED_SUFFIX}`;
    mkdirSync(unnamed, { recursive: true });
    writeRunRecord(unnamed, record);
    renameSync(unnamed, path);
  } catch (error) {
    throw codedError(
      "RUN_FOLDER_NOT_WRITABLE",
      `Cannot create the run's folder "${path}". Make the project folder writable for this user, or copy the project elsewhere`,
      { cause: error },
    );
  }
  return {
    id,
    projectRoot,
    path,
    get record() {
      return record;
    },
    closing: closing.signal,
    update(patch) {
      if (closed) return;
      record = { ...record, ...(typeof patch === "function" ? patch(record) : patch) };
      writeRunRecord(path, record);
    },
    close() {
      if (!closed) {
        closing.abort(codedError("RUN_CLOSED", `Run "${id}" was stopped`));
        closed = cleanUp(path, record);
      }
      return closed;
    },
  };
}

async function cleanUp(path: string, record: RunRecord): Promise<void> {
  const { problems } = await cleanUpRun(path, record);
  if (problems.length === 0) return;
  throw codedError(
    "RUN_NOT_CLEANED",
    `Could not clean up after run "${record.id}": ${problems.join("; ")}. The next start tries again`,
  );
}

function runsFolder(projectRoot: string): string {
  return join(projectRoot, ".domains", "runs");
}
