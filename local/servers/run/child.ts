import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { killGroup, processReference, stopProcess } from "./processes";
import type { RunDirectory } from "./run-directory";

/** How to start a child. */
export interface ChildOptions {
  /** Shown to the user, e.g. "PostgreSQL". */
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment; nothing is inherited. */
  env: NodeJS.ProcessEnv;
  cwd: string;
  /**
   * File that both output streams are appended to. Not a pipe: a child must outlive the pipes of a killed runner
   * long enough to be stopped in order.
   */
  log: string;
  /** @default "SIGKILL" */
  stopSignal?: NodeJS.Signals;
  uid?: number | undefined;
  gid?: number | undefined;
}

/** A process that a run started. */
export interface Child {
  readonly pid: number;
  /** Resolves when it has ended, with words such as "exit code 1". Does not keep the runner alive; `wait` does. */
  readonly exited: Promise<string>;
  /** The same words, undefined while it runs. */
  exit(): string | undefined;
  /** Waits until a program that ends by itself has ended. */
  wait(): Promise<string>;
  /** Ends it and its process group. A signal other than SIGKILL may take so long; default 3 s. */
  stop(signal?: NodeJS.Signals, graceMilliseconds?: number): Promise<void>;
}

/**
 * Starts a process in a process group of its own (Ctrl-C in the terminal must not reach it before the runner has
 * stopped what depends on it), and keeps it on the run's record for as long as it lives.
 *
 * @throws what spawn throws (ENOENT, EACCES); RUN_CLOSED
 */
export async function startChild(run: RunDirectory, options: ChildOptions): Promise<Child> {
  const { name, command, args, log, stopSignal = "SIGKILL", cwd, env, uid, gid } = options;
  run.closing.throwIfAborted();
  const output = openSync(log, "a", 0o600);
  const child = spawn(command, args, {
    cwd,
    env,
    detached: true,
    windowsHide: true,
    stdio: ["ignore", output, output],
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  closeSync(output);
  const reference = child.pid === undefined ? undefined : processReference(child.pid);
  try {
    if (reference)
      run.update(({ children }) => ({ children: [...children, { name, ...reference, stopSignal }] }));
  } catch (error) {
    // Off the record, nobody would stop it after this process.
    if (child.pid !== undefined) killGroup(child.pid);
    throw error;
  }
  child.unref();

  let exit: string | undefined;
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => {
      exit = signal === null ? `exit code ${code}` : `signal ${signal}`;
      // What it started itself must not stay behind.
      if (child.pid !== undefined) killGroup(child.pid);
      resolve(exit);
      try {
        run.update(({ children }) => ({ children: children.filter(({ pid }) => pid !== child.pid) }));
      } catch {
        // The disk is full: the record names a process that is gone, which the clean-up finds out.
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  return {
    // After "spawn" there is a pid; the reference is missing only if the process ended within the same moment.
    pid: child.pid as number,
    exited,
    exit: () => exit,
    wait() {
      child.ref();
      return exited;
    },
    async stop(signal = stopSignal, graceMilliseconds) {
      if (exit !== undefined) return;
      child.ref();
      if (reference) await stopProcess(reference, signal, graceMilliseconds);
      await exited;
    },
  };
}
