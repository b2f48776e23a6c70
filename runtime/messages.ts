import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { readCloudEvent } from "./cloud-event";
import { errorCode } from "./coded-error";
import { log } from "./log";
import type { ReceivedMessage } from "./projection/fold";

/** The messages of a batch that hold a domain event, and those that do not and go back to the queue. */
export interface ReadMessages {
  messages: ReceivedMessage[];
  unreadable: string[];
}

/** Reads the domain events out of a batch of queue messages, each the EventBridge event that a rule delivered. */
export function readMessages(event: SQSEvent): ReadMessages {
  const read: ReadMessages = { messages: [], unreadable: [] };
  for (const record of event.Records) {
    try {
      read.messages.push({ messageId: record.messageId, received: readCloudEvent(parsed(record)) });
    } catch (error) {
      logFailure(record.messageId, undefined, error);
      read.unreadable.push(record.messageId);
    }
  }
  return read;
}

/** The partial batch response of a queue: these messages come again, and in the end go to the dead-letter queue. */
export function failedMessages(messageIds: string[]): SQSBatchResponse {
  return { batchItemFailures: messageIds.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** Logs why a message goes back to its queue. */
export function logFailure(messageId: string, eventId: string | undefined, error: unknown): void {
  const { message } = error as Error;
  log("error", "A message goes back to its queue", {
    messageId,
    eventId,
    code: errorCode(error),
    reason: message,
  });
}

function parsed(record: SQSRecord): unknown {
  try {
    return JSON.parse(record.body);
  } catch {
    return undefined;
  }
}
