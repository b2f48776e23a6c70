import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";

/** A message of a queue that is hidden from others for as long as it is worked on. */
export interface HeldMessage {
  queueUrl: string;
  id: string;
  receiptHandle: string;
  body: string;
  /** When it was sent, ISO 8601; a message that SQS moved to a dead-letter queue keeps the time of its first queue. */
  sentAt: string;
}

/** So long a message stays hidden if this process dies in between. */
const HIDDEN_SECONDS = 300;
/** Messages that are held at a time; what is beyond them is for the next call. */
const MAX_HELD = 10_000;
/** ReceiveMessage takes at most ten. */
const MAX_MESSAGES = 10;
/** A short poll asks some servers of the queue only: an empty answer is no proof that nothing is there. */
const MAX_EMPTY_ANSWERS = 10;

/**
 * Takes hold of all messages of a queue that are visible, hands them over, and lets go of those that are still there afterwards.
 *
 * @param work deletes those messages that are done with
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

/** Deletes a message that is held. */
export async function deleteMessage(sqs: SQSClient, { queueUrl, receiptHandle }: HeldMessage): Promise<void> {
  await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }));
}

/** Does something with each, ten at a time. */
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
  // Deleted meanwhile; or it becomes visible again by itself.
  await sqs.send(new ChangeMessageVisibilityCommand(release)).catch(() => {});
}
