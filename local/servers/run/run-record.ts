import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessReference } from "./processes";

/** A server or a tool that a run started; it leads a process group of its own. */
export interface ChildRecord extends ProcessReference {
  /** Shown to the user, e.g. "PostgreSQL". */
  name: string;
  /** What to send it first; SIGKILL follows where it does not end. */
  stopSignal: NodeJS.Signals;
}

/** A database that a run made on a server that is not its own. */
export interface DatabaseRecord {
  name: string;
  /**
   * A URL of the same server by which the database can be dropped; it holds the password, hence run.json's mode
   * 0600.
   */
  adminUrl: string;
}

/**
 * What run.json holds: all that is needed to clean up after a run, and what others add for the `domains` command.
 */
export interface RunRecord {
  id: string;
  /** ISO 8601. */
  startedAt: string;
  /** Whose pids these are (`machineName()`). */
  machine: string;
  runner: ProcessReference;
  children: ChildRecord[];
  /** Folders outside the run's own one, to be removed with it. Absolute. */
  dataFolders: string[];
  databases: DatabaseRecord[];
  [other: string]: unknown;
}

const RECORD_FILE = "run.json";

/** Reads a run's record, undefined if there is none or it is not one. */
export function readRunRecord(runFolder: string): RunRecord | undefined {
  try {
    const record = JSON.parse(
      readFileSync(join(runFolder, RECORD_FILE), "utf8"),
    ) as Partial<RunRecord> | null;
    return isRunRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a run's record in one step: a reader sees the old one or the new one, never half of one. */
export function writeRunRecord(runFolder: string, record: RunRecord): void {
  const temporary = join(runFolder, `${RECORD_FILE}.${process.pid}.tmp`);
  try {
    writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, join(runFolder, RECORD_FILE));
  } catch (error) {
    // On a full disk, half of it would take the room that the clean-up needs.
    rmSync(temporary, { force: true });
    throw error;
  }
}

function isRunRecord(record: Partial<RunRecord> | null): record is RunRecord {
  if (record === null) return false;
  const { id, startedAt, machine, runner, children, dataFolders, databases } = record;
  const texts = [id, startedAt, machine, runner?.start];
  return (
    texts.every((text) => typeof text === "string") &&
    typeof runner?.pid === "number" &&
    [children, dataFolders, databases].every(Array.isArray)
  );
}

/** Absolute paths of all run folders, dead or alive. */
export function runFolders(projectRoot: string): string[] {
  try {
    return readdirSync(runsFolder(projectRoot)).map((name) => join(runsFolder(projectRoot), name));
  } catch {
    return [];
  }
}

/** The folder of all runs of a project. */
export function runsFolder(projectRoot: string): string {
  return join(projectRoot, ".domains", "runs");
}
