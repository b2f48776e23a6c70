import type { SQSClient } from "@aws-sdk/client-sqs";
import type { DeliveryContext } from "./deliver-batch";
import type { QueueMapping } from "./mapping-inputs";
import { findQueue } from "./on-failure-destination";
import { retryDelay, type Pace } from "./pace";
import { createPulse, sleep } from "./pulse";
import { processMessages } from "./queue-batch";
import { MAX_MESSAGES, mappedQueue, type MappedQueue } from "./queue-client";
import { receiveMessages } from "./queue-receive";
import type { QueueMessage } from "./queue-record";
import type { SourceLoop } from "./source-loop";
import { batchLength } from "./take-batch";

/** What consuming a queue needs. */
export interface QueueSourceContext {
  mapping: QueueMapping;
  /** Signs as the function's role. */
  asFunction: SQSClient;
  /** Signs as root. */
  asRoot: SQSClient;
  delivery: DeliveryContext;
  pace: Pace;
  stopped: AbortSignal;
}

/**
 * Consumes a queue: one poller, and as many invocations at once as the mapping and the pace allow. The poller receives only when an
 * invocation may start, so that no message hides while it waits for one.
 */
export function consumeQueue(context: QueueSourceContext): SourceLoop {
  const { mapping, asFunction, asRoot, delivery, pace, stopped } = context;
  const { recorder } = delivery;
  const concurrency = Math.min(mapping.maximumConcurrency ?? Infinity, pace.maximumConcurrency);
  const freed = createPulse();
  const running = new Map<Promise<void>, readonly QueueMessage[]>();
  let queue: MappedQueue | undefined;
  let visibilityMilliseconds = 0;
  let failuresInARow = 0;
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
    status: () => {
      const messages = [...running.values()].flat();
      const oldest = Math.min(...messages.map(({ sentAt }) => sentAt));
      return {
        inFlight: messages.length,
        lagMilliseconds: messages.length > 0 ? Math.max(0, Date.now() - oldest) : 0,
      };
    },
  };

  async function poll(): Promise<void> {
    while (!stopped.aborted) {
      try {
        queue ??= await open();
        markReady();
        await pollOnce(queue);
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
    const opened = mappedQueue(asFunction, asRoot, queueUrl ?? "");
    const { visibilityTimeoutSeconds } = await opened.attributes();
    visibilityMilliseconds = (pace.visibilityTimeoutSeconds ?? visibilityTimeoutSeconds) * 1000;
    return opened;
  }

  async function pollOnce(opened: MappedQueue): Promise<void> {
    if (running.size >= concurrency) return freed.wait(Infinity, stopped);
    const startedAt = Date.now();
    const messages = await receiveMessages(opened, mapping, pace, stopped);
    if (messages.length === 0) return;
    if (stopped.aborted) return opened.release(messages.map(({ record }) => record.receiptHandle));
    recorder.record({ kind: "received", records: messages.map(({ record }) => record) });
    const waiting = [...messages];
    while (waiting.length > 0) {
      start(opened, waiting.splice(0, batchLength(waiting, mapping.batchSize)));
      while (waiting.length > 0 && running.size >= concurrency)
        await freed.wait(Infinity, new AbortController().signal);
    }
    // A short answer means that little is there: let some gather, since an invocation costs the same for one message as for ten.
    const gather =
      messages.length < Math.min(MAX_MESSAGES, mapping.batchSize)
        ? startedAt + pace.gatherMilliseconds - Date.now()
        : 0;
    if (gather > 0) await sleep(gather, stopped);
    // "Lambda gradually backs off" when the function fails, but not with ReportBatchItemFailures.
    if (failuresInARow > 0 && !mapping.reportBatchItemFailures)
      await sleep(retryDelay(failuresInARow, pace), stopped);
  }

  function start(opened: MappedQueue, batch: readonly QueueMessage[]): void {
    const records = batch.map(({ record }) => record);
    const process = processMessages(records, Date.now() + visibilityMilliseconds, {
      mapping,
      queue: opened,
      delivery,
      pace,
      stopped,
    })
      .then((outcome) => {
        failuresInARow = outcome === "failed" ? failuresInARow + 1 : 0;
      })
      // Nothing is known to get here; the messages stay in the queue.
      .catch((error: unknown) => recorder.problem("batch", error))
      .finally(() => {
        running.delete(process);
        freed.ring();
      });
    running.set(process, batch);
  }
}
