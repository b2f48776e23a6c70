import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  type Message,
  type MessageAttributeValue,
  type QueueAttributeName,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSMessageAttributes, SQSRecord, SQSRecordAttributes } from "aws-lambda";
import { readSourceArn } from "./mapping-inputs";

/** A queue, as its mapping uses it. All methods reject with the SDK's errors. */
export type MappedQueue = ReturnType<typeof mappedQueue>;

const COUNTS: QueueAttributeName[] = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
];

/**
 * A queue as its mapping uses it: with the function's role, which needs sqs:ReceiveMessage, DeleteMessage and
 * GetQueueAttributes.
 *
 * @param asFunction signs as the function's role
 * @param asRoot signs as root
 * @param queueArn gives the records their source
 */
export function mappedQueue(asFunction: SQSClient, asRoot: SQSClient, queueUrl: string, queueArn: string) {
  return {
    /** Waits up to `waitSeconds` for up to `limit` messages, at most ten. */
    receive: async (limit: number, waitSeconds: number, visibilityTimeoutSeconds?: number) => {
      const { Messages = [] } = await asFunction.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: limit,
          WaitTimeSeconds: waitSeconds,
          VisibilityTimeout: visibilityTimeoutSeconds,
          MessageSystemAttributeNames: ["All"],
          MessageAttributeNames: ["All"],
        }),
      );
      return Messages.map((message) => queueRecord(queueArn, message));
    },
    /** Deletes at most ten messages; returns the receipt handles of those that could not be deleted. */
    delete: async ([first, ...others]: readonly string[]): Promise<string[]> => {
      const failed: string[] = [];
      if (first === undefined) return failed;
      // On AWS, sqs:DeleteMessage also allows to delete in batches. The emulator asks for "sqs:DeleteMessageBatch",
      // which AWS does not have. So one message is deleted as the function's role, which checks the permission, and
      // the others as root.
      await asFunction
        .send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: first }))
        .catch((error: unknown) => {
          if (!isStaleHandle(error)) throw error;
          failed.push(first);
        });
      if (others.length === 0) return failed;
      const { Failed = [] } = await asRoot.send(
        new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries(others) }),
      );
      return [...failed, ...Failed.map(({ Id }) => others[Number(Id)] ?? "")];
    },
    /** Makes at most ten messages visible again at once. */
    release: async (receiptHandles: readonly string[]): Promise<void> => {
      const Entries = entries(receiptHandles).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
      await asRoot.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
    },
    /** The number of messages in the queue, visible or not, and its visibility timeout. */
    attributes: async () => {
      const { Attributes = {} } = await asFunction.send(
        new GetQueueAttributesCommand({
          QueueUrl: queueUrl,
          AttributeNames: [...COUNTS, "VisibilityTimeout"],
        }),
      );
      return {
        messages: COUNTS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0),
        visibilityTimeoutSeconds: Number(Attributes.VisibilityTimeout ?? 30),
      };
    },
  };
}

/**
 * The URL of a queue. Rejects with the SDK's QueueDoesNotExist. The function's role needs no permission for this
 * call.
 */
export async function findQueue(asRoot: SQSClient, queueArn: string): Promise<string | undefined> {
  const { name, accountId } = readSourceArn(queueArn);
  const { QueueUrl } = await asRoot.send(
    new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: accountId }),
  );
  return QueueUrl;
}

/**
 * Turns a message into the shape of a Lambda event: attributes in lower camel case, binary values in base64.
 * Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS", example event.
 */
export function queueRecord(queueArn: string, message: Message): SQSRecord {
  const { MessageId = "", ReceiptHandle = "", Body = "", Attributes = {}, MD5OfBody = "" } = message;
  const { MD5OfMessageAttributes, MessageAttributes = {} } = message;
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    // The poller asks for all system attributes, and a queue always sets these.
    attributes: Attributes as unknown as SQSRecordAttributes,
    messageAttributes: messageAttributes(MessageAttributes),
    md5OfBody: MD5OfBody,
    ...(MD5OfMessageAttributes && { md5OfMessageAttributes: MD5OfMessageAttributes }),
    eventSource: "aws:sqs",
    eventSourceARN: queueArn,
    awsRegion: readSourceArn(queueArn).region,
  };
}

function messageAttributes(attributes: Record<string, MessageAttributeValue>): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { StringValue, BinaryValue, DataType = "String" }]) => [
      name,
      {
        ...(StringValue !== undefined && { stringValue: StringValue }),
        ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
        stringListValues: [],
        binaryListValues: [],
        dataType: DataType,
      },
    ]),
  );
}

/** The message was received again in the meantime, or is deleted. */
function isStaleHandle(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === "ReceiptHandleIsInvalid";
}

function entries(receiptHandles: readonly string[]): { Id: string; ReceiptHandle: string }[] {
  return receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
}
