import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";

/** A message of a queue that is hidden from other receivers while it is handled. */
export interface HeldMessage {
  queueUrl: string;
  id: string;
  receiptHandle: string;
  body: string;
  /**
   * When it was sent, ISO 8601. A message that SQS moved to a dead-letter queue keeps the time of its first
   * queue.
   */
  sentAt: string;
}

/** How long a message stays hidden if this process dies. */
const HIDDEN_SECONDS = 300;
/** Maximum number of messages per call; the rest is for the next call. */
const MAX_HELD = 10_000;
/** ReceiveMessage takes at most ten. */
const MAX_MESSAGES = 10;
/**
 * A short poll queries only some servers of the queue, so an empty answer does not mean that the queue is
 * empty.
 */
const MAX_EMPTY_ANSWERS = 10;

/**
 * Receives all visible messages of a queue, passes them to `work`, and releases those that remain.
 *
 * @param work deletes the messages that are finished
 */
export async function withHeldMessages<Result>(
  sqs: SQSClient,
  queueUrl: string,
  work: (messages: HeldMessage[]) => Promise<Result>,
): Promise<Result> {
  const messages = await holdMessages(sqs, queueUrl);
  try {
    return await work(messages);
  } finally {
    await inTens(messages, (message) => releaseMessage(sqs, message));
  }
}

/** Deletes a held message. */
export async function deleteMessage(sqs: SQSClient, { queueUrl, receiptHandle }: HeldMessage): Promise<void> {
  await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }));
}

/** Runs `work` for each item, ten at a time. */
export async function inTens<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < all.length; start += MAX_MESSAGES) {
    await Promise.all(all.slice(start, start + MAX_MESSAGES).map(work));
  }
}

async function holdMessages(sqs: SQSClient, queueUrl: string): Promise<HeldMessage[]> {
  const held: HeldMessage[] = [];
  let empty = 0;
  while (held.length < MAX_HELD && empty < MAX_EMPTY_ANSWERS) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: MAX_MESSAGES,
        VisibilityTimeout: HIDDEN_SECONDS,
        MessageSystemAttributeNames: ["SentTimestamp"],
      }),
    );
    empty = Messages.length === 0 ? empty + 1 : 0;
    if (empty > 0 && (await visibleMessages(sqs, queueUrl)) === 0) break;
    held.push(
      ...Messages.map(({ MessageId = "", ReceiptHandle = "", Body = "", Attributes }) => ({
        queueUrl,
        id: MessageId,
        receiptHandle: ReceiptHandle,
        body: Body,
        sentAt: new Date(Number(Attributes?.SentTimestamp ?? 0)).toISOString(),
      })),
    );
  }
  return held;
}

async function visibleMessages(sqs: SQSClient, queueUrl: string): Promise<number> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
  );
  return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
}

async function releaseMessage(sqs: SQSClient, { queueUrl, receiptHandle }: HeldMessage): Promise<void> {
  const release = { QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: 0 };
  // A message that was deleted cannot be released; any other becomes visible again after the timeout.
  await sqs.send(new ChangeMessageVisibilityCommand(release)).catch(() => {});
}
