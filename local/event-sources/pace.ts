/** How fast the local event sources work. AWS's own figures are for a cloud; these are for one machine. */
export interface Pace {
  /** Wait between two reads of a shard that has nothing new. AWS polls a Kinesis shard once and a DynamoDB shard four times a second. */
  idleMilliseconds: number;
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

/** Chosen by measurement: see `docs` of the local runner. */
export const LOCAL_PACE: Pace = {
  idleMilliseconds: 100,
  problemMilliseconds: 5_000,
  firstRetryMilliseconds: 100,
  maximumRetryMilliseconds: 2_000,
  shardScanMilliseconds: 10_000,
  longPollSeconds: 1,
  gatherMilliseconds: 100,
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
