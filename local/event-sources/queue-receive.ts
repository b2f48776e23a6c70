import type { QueueMapping } from "./mapping-inputs";
import type { Pace } from "./pace";
import { sleep } from "./pulse";
import { MAX_MESSAGES, type MappedQueue } from "./queue-client";
import { queueRecord, type QueueMessage } from "./queue-record";
import { isFullBatch } from "./take-batch";

/**
 * Receives the messages of the next batch: waits for the first ones, then goes on until the batch is full or the batching window is
 * over. "Lambda polls up to 10 messages at once", so a bigger batch needs a window. Source: AWS Lambda developer guide, "Using Lambda
 * with Amazon SQS".
 *
 * A call under way is not aborted by a stop: the emulator would go on waiting and take messages that nobody gets.
 */
export async function receiveMessages(
  queue: MappedQueue,
  mapping: QueueMapping,
  pace: Pace,
  stopped: AbortSignal,
): Promise<QueueMessage[]> {
  const { sourceArn, batchSize, batchingWindowMilliseconds } = mapping;
  const messages: QueueMessage[] = [];
  const receive = async (waitSeconds: number): Promise<void> => {
    const limit = Math.min(MAX_MESSAGES, batchSize - messages.length);
    const received = await queue.receive(limit, waitSeconds, pace.visibilityTimeoutSeconds);
    messages.push(...received.map((message) => queueRecord(sourceArn, message)));
  };
  await receive(pace.longPollSeconds);
  if (messages.length === 0 || batchingWindowMilliseconds === 0) return messages;
  const windowEnd = Date.now() + batchingWindowMilliseconds;
  while (!isFullBatch(messages, batchSize) && !stopped.aborted) {
    const left = windowEnd - Date.now();
    if (left <= 0) break;
    const waitSeconds = Math.min(pace.longPollSeconds, Math.floor(left / 1000));
    if (waitSeconds === 0) await sleep(Math.min(left, pace.gatherMilliseconds), stopped);
    await receive(waitSeconds);
  }
  return messages;
}
