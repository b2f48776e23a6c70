import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { ProcessReference } from "./process-identity";
import { isRunning } from "./process-identity";

const GRACE_MILLISECONDS = 3_000;
const KILL_MILLISECONDS = 2_000;
// Asking ps costs a process each time, reading /proc costs nothing.
const POLL_MILLISECONDS = process.platform === "linux" ? 10 : 100;

/**
 * Ends a process that leads a process group, and whatever is left of its group: first the signal that the server asks
 * for, then, after a while, SIGKILL.
 *
 * @param graceMilliseconds how long the first signal may take; default 3 s
 * @returns false if it did not run any more, true if it ran and is gone
 * @throws what kill(2) throws for a process of another user (EPERM), or if the process survives SIGKILL
 */
export async function stopProcess(
  target: ProcessReference,
  signal: NodeJS.Signals,
  graceMilliseconds = GRACE_MILLISECONDS,
): Promise<boolean> {
  if (!isRunning(target)) return false;
  if (signal !== "SIGKILL" && process.platform !== "win32") {
    process.kill(target.pid, signal);
    await waitUntilGone(target, graceMilliseconds);
  }
  killGroup(target.pid);
  if (!(await waitUntilGone(target, KILL_MILLISECONDS))) {
    throw new Error(`Process ${target.pid} does not end, not even by SIGKILL`);
  }
  return true;
}

/** Kills what is left of the process group that `leader` led. The group's number is not given away while it has members. */
export function killGroup(leader: number): void {
  if (process.platform === "win32") {
    spawnSync("taskkill", ["/pid", String(leader), "/f", "/t"], { windowsHide: true });
    return;
  }
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ESRCH") throw error;
  }
}

async function waitUntilGone(target: ProcessReference, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (isRunning(target)) {
    if (performance.now() > deadline) return false;
    await delay(POLL_MILLISECONDS);
  }
  return true;
}
