import { setTimeout as delay } from "node:timers/promises";
import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { QueuedMessage } from "../snapshot";
import { failure } from "./failure";

/** A queue to read. */
export interface QueueToRead {
  /** Logical name. */
  name: string;
  url: string;
}

const BATCH_SIZE = 10;
/** Hides a message from the next receive. All messages are returned at the end, which takes far less time. */
const HIDDEN_SECONDS = 30;
const PAUSE_MILLISECONDS = 100;
/** How long no further message may be received. */
const STALL_MILLISECONDS = 60_000;
const COUNTS = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
] as const;

/**
 * Reads all messages of some queues and leaves them there.
 *
 * @throws QUEUE_NOT_READ if a queue reports more messages than could be received, and none came for a minute
 */
export async function readQueues(sqs: SQSClient, queues: readonly QueueToRead[]): Promise<QueuedMessage[]> {
  const found: QueuedMessage[] = [];
  for (const { name, url } of queues) {
    const messages = await messagesOf(sqs, url);
    await giveBack(sqs, url, messages);
    found.push(...messages.map(({ Body = "" }) => ({ queue: name, body: Body })));
  }
  return found;
}

async function messagesOf(sqs: SQSClient, url: string): Promise<Message[]> {
  const seen = new Map<string, Message>();
  const request = {
    QueueUrl: url,
    MaxNumberOfMessages: BATCH_SIZE,
    VisibilityTimeout: HIDDEN_SECONDS,
    WaitTimeSeconds: 0,
  };
  let deadline = Date.now() + STALL_MILLISECONDS;
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(request));
    const known = seen.size;
    for (const message of Messages) seen.set(message.MessageId ?? "", message);
    if (seen.size > known) deadline = Date.now() + STALL_MILLISECONDS;
    if (Messages.length > 0) continue;
    const count = await countOf(sqs, url);
    if (count <= seen.size) return [...seen.values()];
    if (Date.now() >= deadline) {
      throw failure(
        "QUEUE_NOT_READ",
        `Queue "${url}" has ${count} messages but only ${seen.size} could be received. Stop other readers of the queue.`,
      );
    }
    await delay(PAUSE_MILLISECONDS);
  }
}

async function countOf(sqs: SQSClient, url: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...COUNTS] }),
  );
  return COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}

async function giveBack(sqs: SQSClient, url: string, messages: readonly Message[]): Promise<void> {
  for (let start = 0; start < messages.length; start += BATCH_SIZE) {
    const Entries = messages.slice(start, start + BATCH_SIZE).map(({ ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: 0,
    }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }));
  }
}
