import type { SQSRecord } from "aws-lambda";
import { deliverBatch, type Delivered, type DeliveryContext } from "./deliver-batch";
import type { QueueMapping } from "./mapping-inputs";
import { retryDelay, type Pace } from "./pace";
import { sleep } from "./pulse";
import type { MappedQueue } from "./queue-client";
import { decideQueueBatch } from "./queue-decision";
import type { Attempt } from "./stream-decision";

/** What processing messages needs. */
export interface QueueBatchContext {
  mapping: QueueMapping;
  queue: MappedQueue;
  delivery: DeliveryContext;
  pace: Pace;
  stopped: AbortSignal;
}

/**
 * Delivers a batch of messages and deletes those that are processed. Whatever else happens, messages stay in the queue and are visible
 * again after its visibility timeout, so moving them to a dead-letter queue is the queue's own doing.
 *
 * @param deadline when the messages become visible again, in milliseconds since 1970
 * @returns "failed" if the function failed as a whole
 */
export async function processMessages(
  received: readonly SQSRecord[],
  deadline: number,
  context: QueueBatchContext,
): Promise<"done" | "failed"> {
  const { mapping, queue, delivery } = context;
  const { recorder, faults } = delivery;
  const refused = received.filter((record) => !mapping.accepts(record));
  if (refused.length > 0) {
    recorder.record({ kind: "filtered", records: refused });
    await deleteMessages(refused, context);
  }
  const accepted = received.filter((record) => !refused.includes(record));
  const records = faults.arrange ? await faults.arrange(accepted) : accepted;
  const withheld = accepted.filter((record) => !records.includes(record));
  if (withheld.length > 0) await queue.release(withheld.map(({ receiptHandle }) => receiptHandle));
  if (records.length === 0) return "done";
  const delivered = await deliverUntilVisible(records, deadline, context);
  if (delivered.kind === "answered" || delivered.kind === "functionError") {
    await settle(records, delivered, context);
    return delivered.kind === "functionError" ? "failed" : "done";
  }
  return "done";
}

/**
 * Delivers until the function answers. "If the invocation fails due to throttling, Lambda gradually backs off retries [...] Lambda
 * continues to retry the message until the message's timestamp exceeds your queue's visibility timeout, at which point Lambda drops the
 * message." Source: AWS Lambda developer guide, "Handling errors for an SQS event source in Lambda".
 */
async function deliverUntilVisible(
  records: readonly SQSRecord[],
  deadline: number,
  context: QueueBatchContext,
): Promise<Delivered> {
  const { delivery, pace, stopped } = context;
  const attempt = Math.max(
    ...records.map(({ attributes }) => Number(attributes.ApproximateReceiveCount) || 1),
  );
  for (let failures = 1; ; failures += 1) {
    const delivered = await deliverBatch(delivery, records, attempt);
    if (delivered.kind !== "undelivered" || delivered.cause === "lost" || stopped.aborted) return delivered;
    const wait = delivered.cause === "refused" ? pace.problemMilliseconds : retryDelay(failures, pace);
    if (Date.now() + wait >= deadline) return delivered;
    await sleep(wait, stopped);
  }
}

async function settle(
  records: readonly SQSRecord[],
  delivered: Delivered & Attempt,
  context: QueueBatchContext,
): Promise<void> {
  const { recorder } = context.delivery;
  const { deliveryId, milliseconds } = delivered;
  const messageIds = new Set(records.map(({ messageId }) => messageId));
  const decision = decideQueueBatch(messageIds, delivered, context.mapping.reportBatchItemFailures);
  const kept = records.filter(({ messageId }) => decision.kept.has(messageId));
  const deleted = records.filter(({ messageId }) => decision.deleted.has(messageId));
  if (deleted.length > 0) recorder.record({ kind: "succeeded", deliveryId, milliseconds, records: deleted });
  if (kept.length > 0)
    recorder.record({
      kind: "failed",
      deliveryId,
      milliseconds,
      reason: decision.reason ?? "",
      records: kept,
    });
  await deleteMessages(deleted, context);
}

/** Deletes what it can: what stays is delivered once more, which "at least once" allows. */
async function deleteMessages(
  records: readonly SQSRecord[],
  { queue, delivery }: QueueBatchContext,
): Promise<void> {
  if (records.length === 0) return;
  const byHandle = new Map(records.map((record) => [record.receiptHandle, record]));
  try {
    const failed = new Set(await queue.delete([...byHandle.keys()]));
    delivery.recorder.solved("delete");
    const deleted = [...byHandle].filter(([handle]) => !failed.has(handle)).map(([, record]) => record);
    if (deleted.length > 0) delivery.recorder.record({ kind: "deleted", records: deleted });
  } catch (error) {
    delivery.recorder.problem("delete", error);
  }
}
