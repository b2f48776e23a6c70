import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process that is not mistaken for another one that was given the same pid later. */
export interface ProcessReference {
  pid: number;
  /** When it started, in the system's own notation; compared, never parsed. */
  start: string;
}

/** Where the platform tells no start time, a pid is all there is. */
const START_UNKNOWN = "unknown";

/**
 * When the process with this pid started, or undefined if there is none (a zombie counts as none). Reads /proc where
 * there is one and asks `ps` elsewhere; with neither (Windows) the answer is "unknown" for every living process.
 */
export function processStart(pid: number): string | undefined {
  try {
    // "pid (command) state ppid ... starttime ...": the command may hold spaces and brackets, so count from the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return isDeadState(fields[0]) ? undefined : fields[19];
  } catch {
    if (process.platform === "linux" && canReadOwnStat()) return undefined;
  }
  if (process.platform !== "win32") {
    try {
      const environment = { ...process.env, LC_ALL: "C", TZ: "UTC" };
      const line = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], {
        encoding: "utf8",
        env: environment,
      });
      const [state, ...start] = line.trim().split(/\s+/);
      return isDeadState(state?.[0]) ? undefined : start.join(" ");
    } catch (error) {
      // ps answers 1 for a pid that does not exist; anything else means that there is no usable ps.
      if ((error as { status?: unknown }).status === 1) return undefined;
    }
  }
  return answersToSignal(pid) ? START_UNKNOWN : undefined;
}

/** The reference of a process that runs now, undefined if it is gone already. */
export function processReference(pid: number): ProcessReference | undefined {
  const start = processStart(pid);
  return start === undefined ? undefined : { pid, start };
}

/** Whether exactly this process still runs. */
export function isRunning(reference: ProcessReference): boolean {
  return processStart(reference.pid) === reference.start;
}

/** Whether the pid alone decides, so that nothing may be killed on its word. */
export function isUncertain(reference: ProcessReference): boolean {
  return reference.start === START_UNKNOWN;
}

/**
 * Names the machine whose pids a run directory talks about. A project folder can be shared with a container, which has
 * pids of its own, so the Linux pid namespace is part of it.
 */
export function machineName(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

function isDeadState(state: string | undefined): boolean {
  return state === undefined || state === "Z" || state === "X";
}

function canReadOwnStat(): boolean {
  try {
    return readFileSync("/proc/self/stat").length > 0;
  } catch {
    return false;
  }
}

function answersToSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}
