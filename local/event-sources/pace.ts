/** How fast the local event sources work. AWS's own figures are for a cloud; these are for one machine. */
export interface Pace {
  /** Wait after a read that finds nothing new in a shard; grows by half with each further one. */
  idleMilliseconds: number;
  /** Longest such wait. AWS polls a Kinesis shard once and a DynamoDB shard four times a second. */
  maximumIdleMilliseconds: number;
  /** Wait before something refused (a permission, a missing function) is tried again. */
  problemMilliseconds: number;
  /** Wait before the first retry of a batch; doubles with each further one. */
  firstRetryMilliseconds: number;
  /** Longest wait between two tries of a batch. */
  maximumRetryMilliseconds: number;
  /** How often a stream is asked for new shards. */
  shardScanMilliseconds: number;
  /** How long a ReceiveMessage call waits for a message. It is not cut short by a stop (see receive-messages.ts), so keep it small. */
  longPollSeconds: number;
  /** Shortest time between two receives from a queue with little in it, so that messages gather in batches under a steady load. */
  gatherMilliseconds: number;
  /** Concurrent invocations a queue mapping may use. AWS starts with five; each takes a process here. */
  maximumConcurrency: number;
  /** Hides received messages for this long instead of the queue's own visibility timeout. Not possible on AWS: for fault runs. */
  visibilityTimeoutSeconds?: number;
  /** How long `stop` waits for a running invocation. */
  stopMilliseconds: number;
}

/**
 * Chosen by measurement, for a laptop: eight queues and three streams at rest take about 6 % of a core here and as much in the emulator,
 * and 100 messages a second over eight queues go through on two cores.
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
