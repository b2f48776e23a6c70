/** How fast the local event sources work. AWS's own figures are for a cloud; these are for one machine. */
export interface Pace {
  /** Wait after a read that finds nothing new in a shard; grows by half with each further such read. */
  idleMilliseconds: number;
  /** Longest such wait. AWS polls a Kinesis shard once a second and a DynamoDB shard four times. */
  maximumIdleMilliseconds: number;
  /** Wait before something that was refused (a permission, a missing function) is tried again. */
  problemMilliseconds: number;
  /** Wait before the first retry of a batch; doubles with each further retry. */
  firstRetryMilliseconds: number;
  /** Longest wait between two tries of a batch. */
  maximumRetryMilliseconds: number;
  /** How often a stream is asked for new shards. */
  shardScanMilliseconds: number;
  /** How long a ReceiveMessage call waits for a message. A stop does not cut it short, so keep it small. */
  longPollSeconds: number;
  /** Shortest time between two receives from a queue with few messages, so that they gather in batches. */
  gatherMilliseconds: number;
  /** Most concurrent invocations of a queue mapping. AWS starts with five; locally each takes a process. */
  maximumConcurrency: number;
  /** How long `stop` waits for a running invocation. */
  stopMilliseconds: number;
}

/**
 * Chosen by measurement, for a laptop: eight queues and three streams at rest take about 6 % of a core here and as
 * much in the emulator, and two cores process 100 messages a second over eight queues.
 */
export const LOCAL_PACE: Pace = {
  idleMilliseconds: 100,
  maximumIdleMilliseconds: 250,
  problemMilliseconds: 5_000,
  firstRetryMilliseconds: 100,
  maximumRetryMilliseconds: 2_000,
  shardScanMilliseconds: 10_000,
  longPollSeconds: 1,
  gatherMilliseconds: 200,
  maximumConcurrency: 2,
  stopMilliseconds: 30_000,
};

/** The wait before a retry, after so many failures in a row (1 = the first failure). */
export function retryDelay(failures: number, pace: Pace): number {
  return Math.min(
    pace.firstRetryMilliseconds * 2 ** Math.min(failures - 1, 30),
    pace.maximumRetryMilliseconds,
  );
}

/** The wait after so many reads in a row that found nothing (1 = the first). */
export function idleDelay(emptyReads: number, pace: Pace): number {
  const growth = 1.5 ** Math.min(emptyReads - 1, 30);
  return Math.min(
    pace.idleMilliseconds * growth,
    Math.max(pace.maximumIdleMilliseconds, pace.idleMilliseconds),
  );
}

/** Lets a loop sleep until it is woken, the time is up, or it is stopped. */
export interface Pulse {
  /** Wakes everyone who waits now. */
  ring(): void;
  /** Returns after a ring, after so many milliseconds, or at once if `signal` is or becomes aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Creates a pulse. */
export function createPulse(): Pulse {
  const waiting = new Set<() => void>();
  return {
    ring: () => {
      for (const wake of [...waiting]) wake();
    },
    wait: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const timer = setTimeout(wake, milliseconds);
        function wake(): void {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        }
        waiting.add(wake);
        signal.addEventListener("abort", wake);
      }),
  };
}

/** Waits; returns at once if `signal` is or becomes aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return createPulse().wait(milliseconds, signal);
}
