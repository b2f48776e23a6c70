import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { codedError } from "../../../runtime/function/coded-error";
import { cleanUpRun } from "./clean-up";
import { isRunning, machineName, processReference } from "./processes";
import { readRunRecord, runFolders, type RunRecord, runsFolder, writeRunRecord } from "./run-record";

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
   * Aborted when closing begins. Call `closing.throwIfAborted()` before you make something that the record names,
   * and make it in the same tick; otherwise nobody may be left to remove it.
   */
  readonly closing: AbortSignal;
  /**
   * Changes top-level keys of run.json (synchronously, so that a process that was just started is on record before
   * anything else can happen). A key set to undefined is removed. After `close` it does nothing.
   */
  update(patch: Record<string, unknown> | ((record: Readonly<RunRecord>) => Record<string, unknown>)): void;
  /**
   * Stops the processes that the record still names and removes everything that belongs to the run.
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
export async function openRunDirectory(projectRoot: string): Promise<RunDirectory> {
  const startedAt = new Date().toISOString();
  const id = `${startedAt.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}-${randomBytes(3).toString("hex")}`;
  const path = join(runsFolder(projectRoot), id);
  const runner = processReference(process.pid);
  if (!runner)
    throw codedError(
      "PROCESS_UNKNOWN",
      "Neither /proc nor ps tells when this process started on this system",
    );
  const machine = machineName();
  let record: RunRecord = {
    id,
    startedAt,
    machine,
    runner,
    children: [],
    dataFolders: [],
    databases: [],
  };
  try {
    // Appears with its record in it, or not at all: a sweep must never see a run that looks ownerless.
    const unnamed = path + UNFINISHED_SUFFIX;
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
  const closing = new AbortController();
  let closed: Promise<void> | undefined;
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
      if (!closed) closing.abort(codedError("RUN_CLOSED", `Run "${id}" was stopped`));
      return (closed ??= cleanUp(path, record));
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
