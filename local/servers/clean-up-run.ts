import { rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dropRunDatabase } from "./drop-run-database";
import { isUncertain } from "./process-identity";
import type { RunRecord } from "./run-record";
import { readRunRecord } from "./run-record";
import { stopProcess } from "./stop-process";

/** What was cleaned up, and what could not be, in words for the user. */
export interface CleanUp {
  done: string[];
  problems: string[];
}

/**
 * Removes all that a run left: its processes, the databases it made on another server, its data folders, its own folder.
 * May run twice at once for the same run (guardian and sweep). Where something cannot be removed, the rest still is, and
 * run.json stays, so that the next sweep tries again.
 */
export async function cleanUpRun(runFolder: string, record = readRunRecord(runFolder)): Promise<CleanUp> {
  const cleanUp: CleanUp = { done: [], problems: [] };
  if (record) {
    await stopChildren(record, cleanUp);
    await dropDatabases(record, cleanUp);
    for (const folder of record.dataFolders) await removeFolder(folder, cleanUp);
  }
  if (cleanUp.problems.length === 0) await removeFolder(runFolder, cleanUp);
  return cleanUp;
}

async function stopChildren(record: RunRecord, cleanUp: CleanUp): Promise<void> {
  // Last started, first stopped.
  for (const child of [...record.children].reverse()) {
    const label = `${child.name} (process ${child.pid})`;
    try {
      if (isUncertain(child) && record.runner.pid !== process.pid) {
        // Never kill on a pid's word alone; the process may be somebody else's by now.
        continue;
      }
      if (await stopProcess(child, child.stopSignal)) cleanUp.done.push(`stopped ${label}`);
    } catch (error) {
      cleanUp.problems.push(`could not stop ${label}: ${messageOf(error)}`);
    }
  }
}

async function dropDatabases(record: RunRecord, cleanUp: CleanUp): Promise<void> {
  for (const database of record.databases) {
    try {
      if (await dropRunDatabase(database)) cleanUp.done.push(`dropped database "${database.name}"`);
    } catch (error) {
      cleanUp.problems.push(`could not drop database "${database.name}": ${messageOf(error)}`);
    }
  }
}

async function removeFolder(folder: string, cleanUp: CleanUp): Promise<void> {
  if (!existsSync(folder)) return;
  try {
    // Retries, since a process that was killed just now may have created a last file meanwhile.
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    cleanUp.done.push(`removed ${folder}`);
  } catch (error) {
    cleanUp.problems.push(`could not remove ${folder}: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
