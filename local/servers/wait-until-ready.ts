import { setTimeout as delay } from "node:timers/promises";
import { type CodedError, codedError } from "../../runtime/function/coded-error";
import type { Child } from "./child";
import { logTail } from "./log-tail";

/** A server that was started, and how to find out that it is ready. */
export interface Starting<T> {
  /** E.g. "PostgreSQL". */
  name: string;
  child: Pick<Child, "exit">;
  log: string;
  /** Where it was told to listen, e.g. `port "5432"`. */
  address: string;
  /** What its log says when another process has the port. */
  portTaken: RegExp;
  /** Resolves with what is to be known of a server that is ready, undefined when it is not yet; throws what waiting does not mend. */
  probe(): Promise<T | undefined>;
  /** The error of a start that failed. */
  failed(what: string): CodedError;
}

/** How long a server may take. */
export const READY_TIMEOUT_MILLISECONDS = 30_000;
/** Between two looks at it. */
export const READY_POLL_MILLISECONDS = 25;

/**
 * Waits until a server of the run's own is ready.
 *
 * @throws PORT_TAKEN; what `failed` makes, when it ends or takes too long; what `probe` throws
 */
export async function waitUntilReady<T>(starting: Starting<T>): Promise<T> {
  const { name, address } = starting;
  const deadline = performance.now() + READY_TIMEOUT_MILLISECONDS;
  for (;;) {
    const exit = starting.child.exit();
    if (exit !== undefined) {
      if (starting.portTaken.test(logTail(starting.log))) {
        const what = `${name} cannot listen on ${address}: another process took the port. Start again`;
        throw codedError("PORT_TAKEN", what);
      }
      throw starting.failed(`${name} ended while starting (${exit})`);
    }
    const ready = await starting.probe();
    if (ready !== undefined) return ready;
    if (performance.now() > deadline) {
      const seconds = READY_TIMEOUT_MILLISECONDS / 1_000;
      throw starting.failed(`${name} did not become ready on ${address} within ${seconds} s`);
    }
    await delay(READY_POLL_MILLISECONDS);
  }
}
