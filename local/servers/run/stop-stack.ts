import { setTimeout as delay } from "node:timers/promises";
import { diskFailure } from "../disk";
import { type Report, reportToStderr } from "../report";

/** What must be stopped at the end of a run, last started first. */
export interface StopStack {
  /**
   * Adds something to stop. Added when stopping has begun already (a server that came up after Ctrl-C), it is
   * stopped at once.
   */
  push(name: string, stop: () => Promise<void> | void): void;
  /** Stops everything, once; a second call waits for the first. Problems are reported, never thrown. */
  stopAll(): Promise<void>;
  /** Aborted when stopping begins, so that waits can be given up. */
  readonly signal: AbortSignal;
}

/** How `openStopStack` behaves. */
export interface StopStackOptions {
  report: Report;
  /**
   * Whether Ctrl-C, SIGTERM, SIGHUP and uncaught errors stop everything and end the process.
   *
   * @default true
   */
  handleSignals?: boolean;
  /**
   * How long one thing may take to stop before the rest goes on without it.
   *
   * @default 10000
   */
  timeoutMilliseconds?: number;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/**
 * npm passes a Ctrl-C on to a process that has received it from the terminal already, so one press can arrive
 * twice. Nobody presses twice that fast.
 */
const SAME_PRESS_MILLISECONDS = 300;

/**
 * Opens the stack of things to stop. A first Ctrl-C (or SIGTERM, SIGHUP, an uncaught error, a reader of the output
 * that is gone) stops everything in reverse order and ends the process; a second one ends it at once and leaves
 * the rest to the guardian.
 */
export function openStopStack({
  report,
  handleSignals = true,
  timeoutMilliseconds = 10_000,
}: StopStackOptions): StopStack {
  const entries: { name: string; stop: () => Promise<void> | void }[] = [];
  const abort = new AbortController();
  let stopping: Promise<void> | undefined;
  let firstSignalAt: number | undefined;

  const stopOne = async ({ name, stop }: (typeof entries)[number]): Promise<void> => {
    const done = new AbortController();
    const late = delay(timeoutMilliseconds, "late", { signal: done.signal }).catch(() => undefined);
    try {
      // "then" so that a stop function which throws at once is caught like one that rejects.
      if ((await Promise.race([Promise.resolve().then(stop), late])) === "late")
        report(`Stopping ${name} takes more than ${timeoutMilliseconds / 1_000} s; going on without it`);
    } catch (error) {
      report(`Could not stop ${name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      done.abort();
    }
  };
  const stopEntries = async (): Promise<void> => {
    for (let entry = entries.pop(); entry; entry = entries.pop()) await stopOne(entry);
  };
  const stopAll = (): Promise<void> => {
    abort.abort();
    stopping ??= stopEntries().finally(() => listen("off"));
    return stopping;
  };
  const endWith = (exitCode: number): void => void stopAll().then(() => process.exit(exitCode));

  const onSignal = (signal: NodeJS.Signals): void => {
    const exitCode = EXIT_CODES[signal as keyof typeof EXIT_CODES];
    if (firstSignalAt !== undefined) {
      if (performance.now() - firstSignalAt < SAME_PRESS_MILLISECONDS) return;
      report("Ended at once; what is left is cleaned up in the background");
      process.exit(exitCode);
    }
    firstSignalAt = performance.now();
    report(signal === "SIGINT" ? "Stopping (Ctrl-C again to end at once) ..." : `Stopping (${signal}) ...`);
    endWith(exitCode);
  };
  const onError = (error: unknown): void => {
    // Not to `report`, which may be silent: nothing else says why the process ended.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const disk = diskFailure(error);
    reportToStderr(disk ? `${disk.code}: ${disk.message}` : `Unexpected error: ${text}`);
    // What goes wrong while stopping does not change why the run ends.
    if (!stopping) endWith(1);
  };
  // Whoever read the output is gone. Without this, the error would be reported to the same broken pipe, again and
  // again.
  const onBrokenPipe = (): void => {
    if (!stopping) endWith(EXIT_CODES.SIGHUP);
  };
  const listen = (how: "on" | "off"): void => {
    for (const signal of Object.keys(EXIT_CODES)) process[how](signal, onSignal);
    for (const error of ["uncaughtException", "unhandledRejection"]) process[how](error, onError);
  };
  if (handleSignals) {
    listen("on");
    // Never removed: also what is reported after the end must not bring the process down.
    for (const output of [process.stdout, process.stderr]) output.on("error", onBrokenPipe);
  }

  return {
    push(name, stop) {
      if (stopping) stopping = stopping.then(() => stopOne({ name, stop }));
      else entries.push({ name, stop });
    },
    stopAll,
    signal: abort.signal,
  };
}
