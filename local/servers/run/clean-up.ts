import { existsSync, rmSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import type { Report } from "../report";
import { isRunning, isUncertain, machineName, stopProcess } from "./processes";
import { type DatabaseRecord, readRunRecord, runFolders } from "./run-record";

/** What was cleaned up, and what could not be, in words for the user. */
export interface CleanUp {
  done: string[];
  problems: string[];
}

const CONNECT_TIMEOUT_MILLISECONDS = 5_000;
/** A folder without a record is one that is being made right now, or that a crash left half removed. */
const UNFINISHED_AGE_MILLISECONDS = 60_000;
/**
 * A run of another machine (a container that shares the project folder) cannot be judged by its pid, only by its
 * age.
 */
const FOREIGN_AGE_MILLISECONDS = 24 * 60 * 60 * 1_000;

/**
 * Cleans up after runs whose runner died without stopping them (and whose guardian died too), and reports what it
 * cleaned up. Never touches a run whose runner is alive.
 */
export async function sweepDeadRuns(projectRoot: string, report: Report): Promise<void> {
  for (const folder of runFolders(projectRoot)) {
    const record = readRunRecord(folder);
    if (!record || record.machine !== machineName()) {
      const oldest = record ? FOREIGN_AGE_MILLISECONDS : UNFINISHED_AGE_MILLISECONDS;
      if (ageOf(folder) > oldest) rmSync(folder, { recursive: true, force: true });
      continue;
    }
    if (isRunning(record.runner)) continue;
    const { done, problems } = await cleanUpRun(folder, record);
    const run = `run "${basename(folder)}", which was killed`;
    if (done.length > 0) report(`Cleaned up after ${run}: ${done.join(", ")}`);
    if (problems.length > 0) report(`Could not clean up all of ${run}: ${problems.join("; ")}`);
  }
}

/**
 * Removes all that a run left: its processes, the databases it made on another server, its data folders, its own
 * folder. May run twice at once for the same run (guardian and sweep). Where something cannot be removed, the rest
 * still is, and run.json stays, so that the next sweep tries again.
 */
export async function cleanUpRun(runFolder: string, record = readRunRecord(runFolder)): Promise<CleanUp> {
  const cleanUp: CleanUp = { done: [], problems: [] };
  const attempt = async (done: string, problem: string, action: () => Promise<boolean>) => {
    try {
      if (await action()) cleanUp.done.push(done);
    } catch (error) {
      cleanUp.problems.push(`${problem}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const remove = (folder: string) =>
    attempt(`removed ${folder}`, `could not remove ${folder}`, () => removeFolder(folder));
  if (record) {
    // Last started, first stopped.
    for (const child of [...record.children].reverse()) {
      // Never kill because of a pid alone: the process may be somebody else's by now.
      if (isUncertain(child) && record.runner.pid !== process.pid) continue;
      const label = `${child.name} (process ${child.pid})`;
      await attempt(`stopped ${label}`, `could not stop ${label}`, () =>
        stopProcess(child, child.stopSignal),
      );
    }
    for (const database of record.databases) {
      const label = `database "${database.name}"`;
      await attempt(`dropped ${label}`, `could not drop ${label}`, () => dropRunDatabase(database));
    }
    for (const folder of record.dataFolders) await remove(folder);
  }
  if (cleanUp.problems.length === 0) await remove(runFolder);
  return cleanUp;
}

/**
 * Drops a database together with its replication slots, which would otherwise keep the server's write-ahead log
 * for ever, and with the roles that are named after it.
 *
 * @returns false if there was no such database
 * @throws what the server or the connection throws
 */
export async function dropRunDatabase({ name, adminUrl }: DatabaseRecord): Promise<boolean> {
  // Loaded here, since the guardian imports this file and hardly ever needs it.
  const { Client } = await import("pg");
  const connectionTimeoutMillis = CONNECT_TIMEOUT_MILLISECONDS;
  const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis });
  // The next query reports an idle connection that breaks; without a listener it would end the process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    // A slot in use cannot be dropped, so its reader goes first; the reader's end takes a moment.
    await client.query(
      `select pg_terminate_backend(active_pid, 2000)
         from pg_replication_slots where database = $1 and active_pid is not null`,
      [name],
    );
    await client.query(
      "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1",
      [name],
    );
    const found = await client.query("select 1 from pg_database where datname = $1", [name]);
    if (found.rowCount === 0) return false;
    await client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`);
    await client.query(DROP_ROLES(name));
    return true;
  } finally {
    await client.end();
  }
}

/**
 * The roles of the database's modules and their logins belong to the server. One that a clone of the database uses
 * stays.
 */
const DROP_ROLES = (database: string) => `
  do $$
  declare
    role_name text;
  begin
    for role_name in select rolname from pg_roles where starts_with(rolname, '${database}_module_') or starts_with(rolname, '${database}_login_')
    loop
      begin
        execute format('drop role %I', role_name);
      exception
        when dependent_objects_still_exist or undefined_object then null;
      end;
    end loop;
  end $$`;

async function removeFolder(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return false;
  // Retries, since a process that was just killed may have created a last file meanwhile.
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  return true;
}

function ageOf(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  // If it is gone meanwhile, somebody else cleans up too.
  return found ? Date.now() - found.mtimeMs : 0;
}
