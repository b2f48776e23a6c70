import { codedError } from "./coded-error";

/** Time kept back from the function's timeout, to answer in. */
const RESERVE_MILLISECONDS = 3_000;
/** A message that has less time than this is not begun. */
const LEAST_MILLISECONDS = 500;

/**
 * The time that the next of some messages may take: an equal share of what the function has left, so that slow
 * messages starve none behind them. What a message does not use is shared by the rest.
 *
 * @param remaining milliseconds until the function times out
 * @param messages how many are left
 * @returns milliseconds; undefined when there is too little time to begin
 */
export function shareOfTime(remaining: number, messages: number): number | undefined {
  const share = (remaining - RESERVE_MILLISECONDS) / messages;
  return share >= LEAST_MILLISECONDS ? share : undefined;
}

/**
 * Waits for work no longer than this. Work that takes longer goes on by itself; whatever it does must be safe
 * beside its own repetition.
 *
 * @throws MESSAGE_TIMED_OUT, and what the work throws in time
 */
export async function inTime<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timedOut()), milliseconds);
  });
  // Its late failure concerns nobody.
  work.catch(() => {});
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}

/** The error of work whose time is up. */
export function timedOut() {
  return codedError(
    "MESSAGE_TIMED_OUT",
    "The time for this message is up. It goes back to its queue and is delivered again. Look at what it waits for: a locked row, or a slow call.",
  );
}
