import { rmSync, statSync } from "node:fs";
import { basename } from "node:path";
import { cleanUpRun } from "./clean-up-run";
import { isRunning, machineName } from "./process-identity";
import type { Report } from "./report";
import { runFolders } from "./run-directory";
import { readRunRecord } from "./run-record";

/** A folder without a record is one that is being made right now, or that a crash left half removed. */
const UNFINISHED_AGE_MILLISECONDS = 60_000;
/** A run of another machine (a container that shares the project folder) cannot be judged by its pid, only by its age. */
const FOREIGN_AGE_MILLISECONDS = 24 * 60 * 60 * 1_000;

/**
 * Cleans up after runs whose runner died without stopping them (and whose guardian died too), and says what it cleaned.
 * Never touches a run whose runner is alive.
 */
export async function sweepDeadRuns(projectRoot: string, report: Report): Promise<void> {
  const machine = machineName();
  for (const folder of runFolders(projectRoot)) {
    const record = readRunRecord(folder);
    if (!record) {
      if (ageOf(folder) > UNFINISHED_AGE_MILLISECONDS) rmSync(folder, { recursive: true, force: true });
      continue;
    }
    if (record.machine !== machine) {
      if (ageOf(folder) > FOREIGN_AGE_MILLISECONDS) rmSync(folder, { recursive: true, force: true });
      continue;
    }
    if (isRunning(record.runner)) continue;
    const { done, problems } = await cleanUpRun(folder, record);
    if (done.length > 0)
      report(`Cleaned up after run "${basename(folder)}", which was killed: ${done.join(", ")}`);
    if (problems.length > 0) {
      report(`Could not clean up all of run "${basename(folder)}", which was killed: ${problems.join("; ")}`);
    }
  }
}

function ageOf(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    // Gone meanwhile: somebody else cleans up too.
    return 0;
  }
}
