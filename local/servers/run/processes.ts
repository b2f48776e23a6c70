import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

/** A process that is not mistaken for another one that was given the same pid later. */
export interface ProcessReference {
  pid: number;
  /** When it started, in the system's own notation; compared, never parsed. */
  start: string;
}

/** Where the platform tells no start time, a pid is all there is. */
const START_UNKNOWN = "unknown";
const GRACE_MILLISECONDS = 3_000;
const KILL_MILLISECONDS = 2_000;
// Asking ps costs a process each time, reading /proc costs nothing.
const POLL_MILLISECONDS = process.platform === "linux" ? 10 : 100;

/**
 * The reference of a process that runs now, undefined if there is none with this pid (a zombie counts as none).
 * Its start is read from /proc or else from `ps`; with neither (Windows) it is "unknown".
 */
export function processReference(pid: number): ProcessReference | undefined {
  const start = startFromProc(pid) ?? startFromPs(pid);
  return start === undefined || start === "" ? undefined : { pid, start };
}

/** Whether exactly this process still runs. */
export function isRunning({ pid, start }: ProcessReference): boolean {
  return processReference(pid)?.start === start;
}

/** Whether the pid alone decides, so that nothing may be killed because of it. */
export function isUncertain({ start }: ProcessReference): boolean {
  return start === START_UNKNOWN;
}

/**
 * Names the machine whose pids a run's record holds. A project folder can be shared with a container, which has
 * pids of its own, so the Linux pid namespace is part of it.
 */
export function machineName(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

/**
 * Ends a process that leads a process group, and whatever is left of its group: first the signal that the server
 * asks for, then, after a while, SIGKILL.
 *
 * @returns false if it no longer ran, true if it ran and is gone
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
  if (await waitUntilGone(target, KILL_MILLISECONDS)) return true;
  throw new Error(`Process ${target.pid} does not end, not even by SIGKILL`);
}

/** Kills what is left of a process group. Its number, its leader's pid, is not given away while it has members. */
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

/** Empty if there is no such process, undefined if there is no /proc. */
function startFromProc(pid: number): string | undefined {
  try {
    // "pid (command) state ppid ... starttime ...": the command may hold spaces and brackets, so count from the
    // last one.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return isDead(fields[0]) ? "" : fields[19];
  } catch {
    return process.platform === "linux" && pid !== process.pid && startFromProc(process.pid) ? "" : undefined;
  }
}

function startFromPs(pid: number): string {
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  const args = ["-o", "state=,lstart=", "-p", String(pid)];
  try {
    if (process.platform === "win32") throw new Error("no ps");
    const [state, ...start] = execFileSync("ps", args, { encoding: "utf8", env }).trim().split(/\s+/);
    return isDead(state?.[0]) ? "" : start.join(" ");
  } catch (error) {
    // ps exits with 1 if there is no such process; anything else means that there is no usable ps.
    if ((error as { status?: unknown }).status === 1) return "";
    return acceptsSignals(pid) ? START_UNKNOWN : "";
  }
}

function isDead(state: string | undefined): boolean {
  return state === undefined || state === "Z" || state === "X";
}

function acceptsSignals(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}
