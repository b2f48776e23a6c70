import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type Message,
  type QueueAttributeName,
  type SQSClient,
} from "@aws-sdk/client-sqs";

/** A queue, as its mapping uses it. All methods reject with the SDK's errors. */
export interface MappedQueue {
  /** Waits up to `waitSeconds` for up to ten messages. */
  receive(limit: number, waitSeconds: number, visibilityTimeoutSeconds?: number): Promise<Message[]>;
  /** Deletes messages; returns the receipt handles of those that could not be. */
  delete(receiptHandles: readonly string[]): Promise<string[]>;
  /** Makes messages visible again at once. */
  release(receiptHandles: readonly string[]): Promise<void>;
  /** Messages in the queue, visible or not, and its visibility timeout. */
  attributes(): Promise<{ messages: number; visibilityTimeoutSeconds: number }>;
}

/** ReceiveMessage and the batch calls take at most ten messages. */
export const MAX_MESSAGES = 10;

const COUNTS: QueueAttributeName[] = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
];

/**
 * A queue as its mapping uses it: with the function's role, which needs sqs:ReceiveMessage, DeleteMessage and GetQueueAttributes.
 *
 * @param asFunction signs as the function's role
 * @param asRoot signs as root
 */
export function mappedQueue(asFunction: SQSClient, asRoot: SQSClient, queueUrl: string): MappedQueue {
  return {
    receive: async (limit, waitSeconds, visibilityTimeoutSeconds) => {
      const { Messages } = await asFunction.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: Math.min(limit, MAX_MESSAGES),
          WaitTimeSeconds: waitSeconds,
          VisibilityTimeout: visibilityTimeoutSeconds,
          MessageSystemAttributeNames: ["All"],
          MessageAttributeNames: ["All"],
        }),
      );
      return Messages ?? [];
    },
    delete: async (receiptHandles) => {
      const [first, ...others] = receiptHandles;
      if (first === undefined) return [];
      const failed: string[] = [];
      // On AWS sqs:DeleteMessage allows deleting in batches too. The emulator asks for "sqs:DeleteMessageBatch", which AWS does not
      // know; so one message is deleted as the function's role, which checks the permission, and the others as root.
      await asFunction
        .send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: first }))
        .catch((error: unknown) => {
          if (!isStaleHandle(error)) throw error;
          failed.push(first);
        });
      for (const handles of inTens(others)) {
        const { Failed } = await asRoot.send(
          new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries(handles) }),
        );
        for (const { Id } of Failed ?? []) failed.push(handles[Number(Id)] ?? "");
      }
      return failed;
    },
    release: async (receiptHandles) => {
      for (const handles of inTens(receiptHandles)) {
        const Entries = entries(handles).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
        await asRoot.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
      }
    },
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

/** The message was received again meanwhile, or is deleted. */
function isStaleHandle(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === "ReceiptHandleIsInvalid";
}

function entries(receiptHandles: readonly string[]): { Id: string; ReceiptHandle: string }[] {
  return receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
}

function inTens(receiptHandles: readonly string[]): string[][] {
  const tens: string[][] = [];
  for (let index = 0; index < receiptHandles.length; index += MAX_MESSAGES) {
    tens.push(receiptHandles.slice(index, index + MAX_MESSAGES));
  }
  return tens;
}
