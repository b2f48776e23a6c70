import type { AsyncLocalStorage } from "node:async_hooks";
import { timedOut } from "../function/time-left";

/**
 * When the work that is running must be done, in milliseconds since 1970. Each piece of work keeps its own, also
 * when it was given up and others have begun.
 */
export type Deadlines = AsyncLocalStorage<number>;

/** Milliseconds until the running work's deadline; Infinity where it has none. */
export function timeLeft(deadlines: Deadlines | undefined): number {
  return (deadlines?.getStore() ?? Infinity) - Date.now();
}

/** @throws MESSAGE_TIMED_OUT when the running work's deadline has passed */
export function checkTime(deadlines: Deadlines | undefined): void {
  if (timeLeft(deadlines) <= 0) throw timedOut();
}
