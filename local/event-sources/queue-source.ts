import type { SQSClient } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { deliverBatch, type Delivered, type SourceContext, type SourceLoop } from "./deliver-batch";
import { readBatchResponse, type Attempt } from "./invoke-function";
import type { QueueMapping } from "./mapping-inputs";
import type { Recorder } from "./observation";
import { retryDelay, sleep } from "./pace";
import { findQueue, mappedQueue, type MappedQueue } from "./queue-client";

/**
 * Consumes a queue: one poller, and as many concurrent invocations as the mapping and the pace allow. The poller
 * receives only when an invocation may start, so that no message is hidden while it waits for one.
 *
 * @param asFunction signs as the function's role
 * @param asRoot signs as root
 */
export function consumeQueue(
  context: SourceContext<QueueMapping>,
  asFunction: SQSClient,
  asRoot: SQSClient,
): SourceLoop {
  const { mapping, recorder, pace, faults, stopped } = context;
  const concurrency = Math.min(mapping.maximumConcurrency ?? Infinity, pace.maximumConcurrency);
  const running = new Map<Promise<void>, readonly SQSRecord[]>();
  let queue: MappedQueue | undefined;
  let ownSeconds = 0;
  let markReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (markReady = resolve));

  const done = poll().finally(markReady);
  return {
    ready,
    done,
    isIdle: async () => {
      if (!queue || running.size > 0) return false;
      try {
        const { messages } = await queue.attributes();
        return messages === 0 && running.size === 0 && recorder.problems().length === 0;
      } catch (error) {
        recorder.problem("queue", error);
        return false;
      }
    },
    status: () => ({ inFlight: [...running.values()].flat().length }),
  };

  async function poll(): Promise<void> {
    while (!stopped.aborted) {
      try {
        queue ??= await open();
        markReady();
        if (running.size >= concurrency) await Promise.race(running.keys());
        else await receiveBatch(queue);
        recorder.solved("queue");
      } catch (error) {
        recorder.problem("queue", error);
        markReady();
        await sleep(pace.problemMilliseconds, stopped);
      }
    }
    await Promise.all(running.keys());
  }

  /** Checks what Lambda checks when a mapping is created: that the role may read the queue's attributes. */
  async function open(): Promise<MappedQueue> {
    const queueUrl = await findQueue(asRoot, mapping.sourceArn);
    const opened = mappedQueue(asFunction, asRoot, queueUrl ?? "", mapping.sourceArn);
    ({ visibilityTimeoutSeconds: ownSeconds } = await opened.attributes());
    return opened;
  }

  /** A stop does not abort a call in progress: the emulator would keep waiting and hand messages to nobody. */
  async function receiveBatch(opened: MappedQueue): Promise<void> {
    const { visibilityTimeoutSeconds: seconds } = (await faults.beforeReceive?.()) ?? {};
    const startedAt = Date.now();
    const records = await opened.receive(mapping.batchSize, pace.longPollSeconds, seconds);
    if (records.length === 0) return;
    if (stopped.aborted) return opened.release(records.map(({ receiptHandle }) => receiptHandle));
    recorder.record({ kind: "received", records });
    const processed = processMessages(context, opened, records, Date.now() + (seconds ?? ownSeconds) * 1_000)
      // No cause is known; the messages stay in the queue.
      .catch((error: unknown) => recorder.problem("batch", error))
      .finally(() => running.delete(processed));
    running.set(processed, records);
    // A short answer means that there is little in the queue. Let messages gather, since an invocation costs the
    // same for one message as for ten.
    const gather = records.length < mapping.batchSize ? startedAt + pace.gatherMilliseconds - Date.now() : 0;
    if (gather > 0) await sleep(gather, stopped);
  }
}

/**
 * Delivers a batch of messages and deletes those that are processed. The others stay in the queue and become
 * visible again after its visibility timeout; the queue itself moves them to its dead-letter queue.
 *
 * @param deadline when the messages become visible again, in milliseconds since 1970
 */
async function processMessages(
  context: SourceContext<QueueMapping>,
  queue: MappedQueue,
  received: readonly SQSRecord[],
  deadline: number,
): Promise<void> {
  const { recorder, faults } = context;
  const records = faults.arrange ? await faults.arrange(received) : received;
  const withheld = received.filter((record) => !records.includes(record));
  if (withheld.length > 0) await queue.release(withheld.map(({ receiptHandle }) => receiptHandle));
  if (records.length === 0) return;
  const delivered = await deliverUntilVisible(context, records, deadline);
  if (delivered.kind !== "answered" && delivered.kind !== "functionError") return;
  const { deleted, kept, reason } = decideQueueBatch(records, delivered);
  if (deleted.length > 0) recorder.record({ kind: "succeeded", records: deleted });
  if (kept.length > 0) recorder.record({ kind: "failed", reason, records: kept });
  await deleteMessages(recorder, queue, deleted);
}

/**
 * Delivers until the function answers. "If the invocation fails due to throttling, Lambda gradually backs off
 * retries [...] Lambda continues to retry the message until the message's timestamp exceeds your queue's visibility
 * timeout, at which point Lambda drops the message." Source: AWS Lambda developer guide, "Handling errors for an
 * SQS event source in Lambda".
 */
async function deliverUntilVisible(
  context: SourceContext<QueueMapping>,
  records: readonly SQSRecord[],
  deadline: number,
): Promise<Delivered> {
  const { pace, stopped } = context;
  const receives = records.map(({ attributes }) => Number(attributes.ApproximateReceiveCount) || 1);
  const attempt = Math.max(...receives);
  for (let failures = 1; ; failures += 1) {
    const delivered = await deliverBatch(context, records, attempt);
    if (delivered.kind !== "undelivered" || delivered.cause === "lost" || stopped.aborted) return delivered;
    const wait = delivered.cause === "refused" ? pace.problemMilliseconds : retryDelay(failures, pace);
    if (Date.now() + wait >= deadline) return delivered;
    await sleep(wait, stopped);
  }
}

/**
 * Decides which messages of a batch to delete after an invocation: all on success, none on an error or a malformed
 * response; otherwise "only the failed messages" become visible again. Source: AWS Lambda developer guide, "Handling
 * errors for an SQS event source in Lambda".
 */
export function decideQueueBatch<R extends { messageId: string }>(
  records: readonly R[],
  attempt: Attempt,
): { deleted: readonly R[]; kept: readonly R[]; reason: string } {
  const response = readBatchResponse(attempt, new Set(records.map(({ messageId }) => messageId)));
  if (response.kind === "success") return { deleted: records, kept: [], reason: "" };
  if (response.kind === "failure") return { deleted: [], kept: records, reason: response.reason };
  const { identifiers } = response;
  return {
    deleted: records.filter(({ messageId }) => !identifiers.has(messageId)),
    kept: records.filter(({ messageId }) => identifiers.has(messageId)),
    reason: `The function reported ${identifiers.size} of ${records.length} messages as failed.`,
  };
}

/** Deletes what it can: what stays is delivered once more, which "at least once" allows. */
async function deleteMessages(recorder: Recorder, queue: MappedQueue, records: readonly SQSRecord[]) {
  if (records.length === 0) return;
  const byHandle = new Map(records.map((record) => [record.receiptHandle, record]));
  try {
    const failed = new Set(await queue.delete([...byHandle.keys()]));
    recorder.solved("delete");
    const deleted = [...byHandle].filter(([handle]) => !failed.has(handle)).map(([, record]) => record);
    if (deleted.length > 0) recorder.record({ kind: "deleted", records: deleted });
  } catch (error) {
    recorder.problem("delete", error);
  }
}
