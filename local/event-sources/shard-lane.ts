import { deliverBatch, type Delivered, type DeliveryContext } from "./deliver-batch";
import type { Discard } from "./discard-notice";
import type { StreamMapping } from "./mapping-inputs";
import { retryDelay, type Pace } from "./pace";
import { sleep, type Pulse } from "./pulse";
import { decideStreamBatch, splitExpired, type Attempt, type StreamBatch } from "./stream-decision";
import type { StreamRecord } from "./stream-reader";
import { batchLength, isFullBatch } from "./take-batch";

/** Records of one shard that are processed one batch after the other: all of them, or those of some keys. */
export interface Lane {
  /** Read and not yet in a batch. */
  waiting: StreamRecord[];
  /** When the first of `waiting` was read, in milliseconds since 1970. */
  waitingSince: number;
}

/** What a lane needs of its shard. */
export interface LaneContext {
  shardId: string;
  mapping: StreamMapping;
  delivery: DeliveryContext;
  pace: Pace;
  /** Rings when records were added. */
  arrivals: Pulse;
  /** Aborted when the shard's run ends. */
  ended: AbortSignal;
  /** Moves the checkpoint past records that are processed or given up. */
  complete(records: readonly StreamRecord[]): void;
  /** Reports given-up records to the mapping's destination; resolves once that is done. */
  discard(discard: Discard): Promise<void>;
}

/** Processes a lane until the run ends. Resolves with "killed" if a fault kills the poller. */
export async function runLane(lane: Lane, context: LaneContext): Promise<"ended" | "killed"> {
  const { ended, mapping } = context;
  while (!ended.aborted) {
    if (!(await batchIsDue(lane, context))) continue;
    const records = lane.waiting.splice(0, batchLength(lane.waiting, mapping.batchSize));
    lane.waitingSince = Date.now();
    if ((await processBatch({ records, failures: 0, invocations: 0 }, context)) === "killed") return "killed";
  }
  return "ended";
}

/**
 * Waits for records, then until the batch is full or the batching window is over. The window starts when the first record is read.
 * Source: AWS Lambda developer guide, "Batching behavior".
 */
async function batchIsDue(lane: Lane, { arrivals, ended, mapping }: LaneContext): Promise<boolean> {
  if (lane.waiting.length === 0) {
    await arrivals.wait(Infinity, ended);
    return false;
  }
  if (isFullBatch(lane.waiting, mapping.batchSize)) return true;
  const left = lane.waitingSince + mapping.batchingWindowMilliseconds - Date.now();
  if (left <= 0) return true;
  await arrivals.wait(left, ended);
  return false;
}

/** Delivers a batch, and the parts that it is split into, until every record is processed or given up. */
async function processBatch(
  batch: StreamBatch<StreamRecord>,
  context: LaneContext,
): Promise<"ended" | "killed"> {
  const { delivery, shardId, ended, pace } = context;
  let pending: readonly StreamBatch<StreamRecord>[] = [batch];
  let failuresInARow = 0;
  for (let next = pending[0]; next && !ended.aborted; next = pending[0]) {
    const rest = pending.slice(1);
    const live = await discardExpired(next, context);
    if (live.records.length < next.records.length) {
      pending = live.records.length > 0 ? [live, ...rest] : rest;
      continue;
    }
    const events = next.records.map(({ event }) => event);
    const delivered = await deliverBatch(delivery, events, next.invocations + 1, shardId);
    if (delivered.kind === "killed") return "killed";
    if (delivered.kind === "undelivered") {
      failuresInARow += 1;
      await sleep(
        delivered.cause === "refused" ? pace.problemMilliseconds : retryDelay(failuresInARow, pace),
        ended,
      );
      continue;
    }
    const { retry, progressed } = await settle(next, delivered, context);
    pending = [...retry, ...rest];
    failuresInARow = progressed ? 0 : failuresInARow + 1;
    if (retry.length > 0) await sleep(retryDelay(Math.max(1, failuresInARow), pace), ended);
  }
  return "ended";
}

/** Gives up the records that have become too old, before the function gets them (again). Returns what is left. */
async function discardExpired(
  batch: StreamBatch<StreamRecord>,
  context: LaneContext,
): Promise<StreamBatch<StreamRecord>> {
  const { expired, live } = splitExpired(
    batch.records,
    Date.now(),
    context.mapping.maximumRecordAgeMilliseconds,
  );
  if (expired.length === 0) return batch;
  const { shardId } = context;
  const { invocations } = batch;
  await context.discard({
    condition: "RecordAgeExceeded",
    shardId,
    records: expired,
    invocations,
    functionError: true,
  });
  context.complete(expired);
  return { ...batch, records: live };
}

/** Carries out the decision on an invocation. Returns what is to be delivered again, and whether the checkpoint moved. */
async function settle(
  batch: StreamBatch<StreamRecord>,
  delivered: Delivered & Attempt,
  context: LaneContext,
): Promise<{ retry: readonly StreamBatch<StreamRecord>[]; progressed: boolean }> {
  const { mapping, shardId, delivery } = context;
  const { deliveryId, milliseconds } = delivered;
  const {
    completed,
    discarded,
    retry,
    reason = "",
  } = decideStreamBatch(batch, delivered, mapping, sequenceNumberOf);
  const events = batch.records.map(({ event }) => event);
  const [succeeded, failed] = [events.slice(0, completed.length), events.slice(completed.length)];
  const record = delivery.recorder.record;
  if (succeeded.length > 0)
    record({ kind: "succeeded", deliveryId, milliseconds, records: succeeded }, shardId);
  if (failed.length > 0)
    record({ kind: "failed", deliveryId, milliseconds, reason, records: failed }, shardId);
  context.complete(completed);
  if (discarded.length > 0) {
    const invocations = batch.invocations + 1;
    const functionError = delivered.kind === "functionError";
    await context.discard({
      condition: "RetryAttemptsExhausted",
      shardId,
      records: discarded,
      invocations,
      functionError,
    });
    context.complete(discarded);
  }
  return { retry, progressed: completed.length + discarded.length > 0 };
}

function sequenceNumberOf({ sequenceNumber }: StreamRecord): string {
  return sequenceNumber;
}
