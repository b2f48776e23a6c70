import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import getPort from "get-port";
import { type CodedError, codedError, errorCode } from "../../../runtime/function/coded-error";
import type { Child } from "./child";
import type { RunDirectory } from "./run-directory";

/** All servers of a run listen on the loopback interface only. */
export const LOOPBACK = "127.0.0.1";

const PORT_ATTEMPTS = 5;
/** How long a server may take. */
const READY_TIMEOUT_MILLISECONDS = 30_000;
const READY_POLL_MILLISECONDS = 25;

/** How a run starts a server of its own, and finds out that it is ready. */
export interface ServerProgram<T> {
  run: RunDirectory;
  /** Begins a sentence, e.g. "PostgreSQL". */
  name: string;
  /** The environment variable by which the user can fix the port. */
  portVariable: string;
  log: string;
  /** The code of the error when it ends though nobody stopped it. */
  diedCode: string;
  /** What its log says when another process has the port. */
  portTaken: RegExp;
  start(port: number): Promise<Child>;
  /** Resolves with what is known of a server that is ready, or undefined; throws what waiting does not cure. */
  probe(port: number): Promise<T | undefined>;
  /** The error of a start that failed. */
  failed(what: string): CodedError;
}

/** A server of the run's own, ready. */
export interface OwnServer<T> {
  readonly port: number;
  readonly pid: number;
  /** What `probe` found. */
  readonly found: T;
  /** Resolves if it ends though nobody stopped it; otherwise stays pending. */
  readonly died: Promise<CodedError>;
  /**
   * Stops it and starts it again on the same port.
   *
   * @param options.signal ends it; may take `graceMilliseconds`
   * @param options.whileDown called between the two
   * @param options.retryOn what its log says when a start fails that succeeds a moment later
   */
  restart(options: {
    signal: NodeJS.Signals;
    graceMilliseconds?: number;
    whileDown?: (() => void) | undefined;
    retryOn?: RegExp;
  }): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a server of the run's own on a free port, or on the port that the user fixed. A free port can be taken by
 * another process before the server listens on it; the start is then tried again with another one, 5 times in all.
 *
 * @throws PORT_INVALID, PORT_TAKEN; what `start`, `probe` and `failed` make
 */
export async function startOwnServer<T>(program: ServerProgram<T>): Promise<OwnServer<T>> {
  const { run, name, log, diedCode } = program;
  const startOn = async (port: number) => {
    const child = await program.start(port);
    try {
      return { port, child, found: await waitUntilReady(program, child, port) };
    } catch (error) {
      await child.stop();
      throw error;
    }
  };
  const { port, found, ...started } = await onFreePort(program.portVariable, name, startOn);
  let { child } = started;
  let stopping = false;
  let reportDeath: (error: CodedError) => void;
  const died = new Promise<CodedError>((resolve) => (reportDeath = resolve));
  const watch = (watched: Child): void => {
    void watched.exited.then((exit) => {
      if (stopping || run.closing.aborted || child !== watched) return;
      const what = `${name} ended unexpectedly (${exit}). The end of "${log}":${logTail(log)}`;
      reportDeath(codedError(diedCode, what));
    });
  };
  watch(child);
  return {
    port,
    found,
    get pid() {
      return child.pid;
    },
    died,
    async restart({ signal, graceMilliseconds, whileDown, retryOn }) {
      stopping = true;
      await child.stop(signal, graceMilliseconds);
      whileDown?.();
      const deadline = performance.now() + READY_TIMEOUT_MILLISECONDS;
      const startAgain = async (): ReturnType<typeof startOn> => {
        try {
          return await startOn(port);
        } catch (error) {
          if (!retryOn?.test(logTail(log)) || performance.now() > deadline) throw error;
        }
        await delay(READY_POLL_MILLISECONDS);
        return startAgain();
      };
      ({ child } = await startAgain());
      stopping = false;
      watch(child);
    },
    async stop() {
      stopping = true;
      await child.stop();
    },
  };
}

/** Calls `start` with the port that the variable fixes, or else with a free one; see `startOwnServer`. */
export async function onFreePort<T>(
  variable: string,
  server: string,
  start: (port: number) => Promise<T>,
): Promise<T> {
  const fixed = process.env[variable] || undefined;
  if (fixed !== undefined && !(/^\d+$/.test(fixed) && Number(fixed) >= 1 && Number(fixed) <= 65_535))
    throw codedError(
      "PORT_INVALID",
      `${variable} is "${fixed}", which is not a port. Set it to a number from 1 to 65535, or unset it`,
    );
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(fixed === undefined ? await getPort({ host: LOOPBACK }) : Number(fixed));
    } catch (error) {
      if (errorCode(error) !== "PORT_TAKEN") throw error;
      if (fixed !== undefined)
        throw codedError(
          "PORT_TAKEN",
          `${server} cannot listen on port "${fixed}", which ${variable} asks for: it is in use. ` +
            `Stop the process that uses it, set ${variable} to another port, or unset it to use a free one`,
          { cause: error },
        );
      if (attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/**
 * Waits until a server that was started on this port is ready.
 *
 * @throws PORT_TAKEN; what `failed` makes, when it ends or takes too long; what `probe` throws
 */
export async function waitUntilReady<T>(
  program: Pick<ServerProgram<T>, "name" | "log" | "portTaken" | "probe" | "failed">,
  child: Pick<Child, "exit">,
  port: number,
): Promise<T> {
  const { name, log } = program;
  const deadline = performance.now() + READY_TIMEOUT_MILLISECONDS;
  for (;;) {
    const exit = child.exit();
    if (exit !== undefined) {
      if (!program.portTaken.test(logTail(log)))
        throw program.failed(`${name} ended while starting (${exit})`);
      const what = `${name} cannot listen on port "${port}": another process took it. Start again`;
      throw codedError("PORT_TAKEN", what);
    }
    const ready = await program.probe(port);
    if (ready !== undefined) return ready;
    if (performance.now() > deadline) {
      const seconds = READY_TIMEOUT_MILLISECONDS / 1_000;
      throw program.failed(`${name} did not become ready on port "${port}" within ${seconds} s`);
    }
    await delay(READY_POLL_MILLISECONDS);
  }
}

/** The last lines of a log, indented, for an error message. Empty if the log is empty or missing. */
export function logTail(path: string, lines = 15): string {
  try {
    const all = readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
    const last = all.slice(-lines).filter((line) => line !== "");
    return last.map((line) => `\n    ${line}`).join("");
  } catch {
    return "";
  }
}
