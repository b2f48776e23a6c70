/** Tells whether something has stood still for too long. */
export interface ProgressWatch {
  /**
   * Looks again.
   *
   * @returns true once what is watched has not changed for the limit
   */
  isStalled(): boolean;
}

/**
 * The most that one look counts. If this process does not run for a while (a busy machine, a laptop that slept),
 * nothing could move in that time either.
 */
const MAX_MILLISECONDS_PER_LOOK = 1_000;

/**
 * Watches whether something moves. A machine may be slow, so no fixed time says that work has failed; that nothing
 * moves does.
 *
 * @param read what changes with each step forward, and with nothing else: a repeated failure is no step
 * @param limitMilliseconds how long it may stand still
 * @param now milliseconds of a clock. @default the process's monotonic clock
 */
export function watchProgress(
  read: () => string,
  limitMilliseconds: number,
  now: () => number = () => performance.now(),
): ProgressWatch {
  let last = read();
  let lookedAt = now();
  let still = 0;
  return {
    isStalled() {
      const [current, time] = [read(), now()];
      const isMoved = current !== last;
      still = isMoved ? 0 : still + Math.min(time - lookedAt, MAX_MILLISECONDS_PER_LOOK);
      last = current;
      lookedAt = time;
      return still >= limitMilliseconds;
    },
  };
}
