import { deliverBatch, type ShardStatus, type SourceContext } from "../deliver-batch";
import { readBatchResponse, type Attempt } from "../invoke-function";
import type { StreamMapping } from "../mapping-inputs";
import { createPulse, idleDelay, retryDelay, sleep } from "../pace";
import { sequenceNumberOf, type StreamReader, type StreamRecord } from "./stream-reader";

/** The reading and processing of one shard. */
export interface ShardConsumer {
  /** Resolves when the shard is processed to its end (true) or the mapping is stopped. */
  done: Promise<boolean>;
  /** Reads once more at once; true if everything in the shard is processed. */
  isIdle(): Promise<boolean>;
  status(): ShardStatus;
}

/** Records of one shard that are delivered together, in order. */
interface StreamBatch {
  records: readonly StreamRecord[];
  /** Counts from 1. */
  attempt: number;
}

/** How long `isIdle` waits for a read; longer means that the shard cannot be read at present. */
const IDLE_CHECK_MILLISECONDS = 2_000;
/** Payload of a synchronous invocation. Source: AWS Lambda quotas. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

/**
 * Consumes a shard until it is finished or the mapping is stopped: reads a page after the checkpoint, delivers it
 * until every record of it is processed, and reads the next one. So a record never overtakes another one of its
 * shard. After an error, and after a fault that kills the poller, the shard is read again from its checkpoint.
 */
export function consumeShard(
  context: SourceContext<StreamMapping>,
  reader: StreamReader,
  shardId: string,
): ShardConsumer {
  const { mapping, recorder, pace, stopped } = context;
  const place = `shard ${shardId}`;
  const wake = createPulse();
  /** Wait for a read that starts after they asked: only such a read shows that nothing was added before. */
  const askers: ((isAtTip: boolean) => void)[] = [];
  /** Everything up to here is processed. */
  let checkpoint: string | undefined;
  /** Records that were read and are not processed, in order. */
  let outstanding: readonly StreamRecord[] = [];
  let isFinished = false;

  const done = consume().then(() => {
    answer(askers.splice(0), isFinished);
    return isFinished;
  });
  return {
    done,
    isIdle: () => {
      if (isFinished || outstanding.length > 0 || stopped.aborted) return Promise.resolve(isFinished);
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), IDLE_CHECK_MILLISECONDS);
        askers.push((isAtTip) => {
          clearTimeout(timer);
          resolve(isAtTip);
        });
        wake.ring();
      });
    },
    status: () => ({
      shardId,
      ...(checkpoint === undefined ? {} : { checkpoint }),
      outstanding: outstanding.length,
    }),
  };

  async function consume(): Promise<void> {
    let iterator: string | undefined;
    let emptyReads = 0;
    let failures = 0;
    while (!isFinished && !stopped.aborted) {
      const asking = askers.splice(0);
      try {
        iterator ??= await reader.iterator(shardId, checkpoint);
        const page = await reader.read(shardId, iterator, mapping.batchSize);
        recorder.solved(place);
        failures = 0;
        answer(asking, page.isAtTip);
        const outcome = await processPage(page.records);
        iterator = outcome === "killed" ? undefined : page.next;
        isFinished = outcome === "done" && page.next === undefined;
        emptyReads = page.isAtTip && !isFinished ? emptyReads + 1 : 0;
        if (emptyReads > 0 && askers.length === 0) await wake.wait(idleDelay(emptyReads, pace), stopped);
      } catch (error) {
        answer(asking, false);
        // After a failure of the server, an iterator may lead to another position.
        iterator = undefined;
        failures += 1;
        isFinished = await isGone(error);
        if (isFinished) recorder.solved(place);
        else await sleep(waitAfter(error, failures), stopped);
      } finally {
        outstanding = [];
      }
    }
  }

  /**
   * The emulator removes a shard, with its records, when it is split or merged. An error alone does not tell: the whole
   * stream may be missing.
   */
  async function isGone(error: unknown): Promise<boolean> {
    if ((error as Error).name !== "ResourceNotFoundException") return false;
    const shards = await reader.listShards().catch(() => undefined);
    return shards !== undefined && !shards.some((shard) => shard.shardId === shardId);
  }

  /** Reports why a read failed. @returns the milliseconds to wait before the next one */
  function waitAfter(error: unknown, failures: number): number {
    const { name } = error as Error;
    if (name === "ExpiredIteratorException") return retryDelay(failures, pace);
    recorder.problem(place, error);
    if (name !== "TrimmedDataAccessException") return pace.problemMilliseconds;
    // The stream no longer has the record at the checkpoint: continue with the oldest one that it has.
    checkpoint = undefined;
    return retryDelay(failures, pace);
  }

  /** Delivers the records of a page, and the batches that they are split into, until every record is processed. */
  async function processPage(records: readonly StreamRecord[]): Promise<"done" | "killed" | "stopped"> {
    if (records.length === 0) return "done";
    outstanding = records;
    recorder.record({ kind: "received", records }, shardId);
    const accepted = records.filter((record) => isAccepted(mapping, record));
    const filtered = records.filter((record) => !isAccepted(mapping, record));
    if (filtered.length > 0) recorder.record({ kind: "filtered", records: filtered }, shardId);
    let pending = splitByPayload(accepted).map((part): StreamBatch => ({ records: part, attempt: 1 }));
    moveCheckpoint(pending);
    let failuresInARow = 0;
    for (let batch = pending[0]; batch; batch = pending[0]) {
      if (stopped.aborted) return "stopped";
      const delivered = await deliverBatch(context, batch.records, batch.attempt, shardId);
      if (delivered.kind === "killed") return "killed";
      if (delivered.kind === "undelivered") {
        failuresInARow += 1;
        const isRefused = delivered.cause === "refused";
        await sleep(isRefused ? pace.problemMilliseconds : retryDelay(failuresInARow, pace), stopped);
        continue;
      }
      const { completed, retry } = settle(batch, delivered);
      pending = [...retry, ...pending.slice(1)];
      moveCheckpoint(pending);
      failuresInARow = completed.length > 0 ? 0 : failuresInARow + 1;
      if (retry.length > 0) await sleep(retryDelay(Math.max(1, failuresInARow), pace), stopped);
    }
    return "done";
  }

  /** Decides on a batch after an invocation and reports the decision. */
  function settle({ records, attempt }: StreamBatch, delivered: Attempt) {
    const { completed, retry, reason } = decideStreamBatch(records, delivered, sequenceNumberOf);
    const failed = records.slice(completed.length);
    if (completed.length > 0) recorder.record({ kind: "succeeded", records: completed }, shardId);
    if (failed.length > 0) recorder.record({ kind: "failed", reason, records: failed }, shardId);
    return { completed, retry: retry.map((part) => ({ records: part, attempt: attempt + 1 })) };
  }

  /** Moves the checkpoint up to the first record that is still to be delivered. */
  function moveCheckpoint([next]: readonly StreamBatch[]): void {
    const [first] = next?.records ?? [];
    const passed = first === undefined ? outstanding.length : outstanding.indexOf(first);
    const last = outstanding[passed - 1];
    if (!last) return;
    checkpoint = sequenceNumberOf(last);
    outstanding = outstanding.slice(passed);
    recorder.record({ kind: "checkpointed", sequenceNumber: checkpoint }, shardId);
  }
}

function answer(askers: readonly ((isAtTip: boolean) => void)[], isAtTip: boolean): void {
  for (const asker of askers) asker(isAtTip);
}

function isAccepted({ eventNames }: StreamMapping, { eventName = "" }: StreamRecord): boolean {
  return eventNames === undefined || eventNames.includes(eventName);
}

/** Splits records so that each part fits into an invocation's payload. A record above the limit is alone. */
export function splitByPayload<R>(records: readonly R[], maximumBytes = MAX_PAYLOAD_BYTES): R[][] {
  const parts: R[][] = [];
  let bytes = Infinity;
  for (const record of records) {
    const size = Buffer.byteLength(JSON.stringify(record)) + 1;
    bytes += size;
    if (bytes > maximumBytes) {
      parts.push([]);
      bytes = size;
    }
    parts.at(-1)?.push(record);
  }
  return parts;
}

/**
 * Decides what happens to a batch of a stream with ReportBatchItemFailures and BisectBatchOnFunctionError after an
 * invocation. Source: AWS Lambda developer guide, "Configuring partial batch response with Kinesis Data Streams and
 * Lambda":
 * - "If the batchItemFailures array contains multiple items, Lambda uses the record with the lowest sequence number
 *   as the checkpoint. Lambda then retries all records starting from that checkpoint";
 * - "If your invocation fails and BisectBatchOnFunctionError is turned on, the batch is bisected regardless of your
 *   ReportBatchItemFailures setting"; with a partial response it "is bisected at the returned sequence number, and
 *   Lambda retries only the remaining records". A split at the first record would split nothing, so the batch is
 *   halved then.
 *
 * @returns the records that are processed, and the batches to deliver again, one after the other; together they are
 *   the batch, in its order
 */
export function decideStreamBatch<R>(
  records: readonly R[],
  attempt: Attempt,
  identifierOf: (record: R) => string,
): { completed: readonly R[]; retry: readonly (readonly R[])[]; reason: string } {
  const response = readBatchResponse(attempt, new Set(records.map(identifierOf)));
  if (response.kind === "success") return { completed: records, retry: [], reason: "" };
  if (response.kind === "failure") return { completed: [], retry: halves(records), reason: response.reason };
  // Records of a shard are in the order of their sequence numbers, so the lowest is the first.
  const lowest = records.findIndex((record) => response.identifiers.has(identifierOf(record)));
  const reason = `The function reported ${response.identifiers.size} of ${records.length} records as failed.`;
  const rest = records.slice(lowest);
  return { completed: records.slice(0, lowest), retry: lowest > 0 ? [rest] : halves(rest), reason };
}

function halves<R>(records: readonly R[]): R[][] {
  const middle = Math.ceil(records.length / 2);
  return [records.slice(0, middle), records.slice(middle)].filter(({ length }) => length > 0);
}
