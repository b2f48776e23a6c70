import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { readCloudEvent, type ReceivedEvent } from "../envelope/cloud-event";
import { codedError, errorCode, shortened } from "./coded-error";
import type { AnyAggregate } from "../define/aggregate";
import { log } from "./log";

/** A domain event and the message that it came in. */
export interface ReceivedMessage {
  messageId: string;
  received: ReceivedEvent;
}

/** The messages of a batch that hold a domain event, and those that do not and go back to the queue. */
export interface ReadMessages {
  messages: ReceivedMessage[];
  unreadable: string[];
}

/**
 * Reads the domain events out of a batch of queue messages, each the EventBridge event that a rule delivered.
 *
 * @param aggregate the one that is subscribed to; an event of another is no business of this queue
 */
export function readMessages(event: SQSEvent, aggregate: AnyAggregate): ReadMessages {
  const read: ReadMessages = { messages: [], unreadable: [] };
  for (const record of event.Records) {
    try {
      const received = readCloudEvent(parsed(record));
      checkAggregate(received, aggregate);
      read.messages.push({ messageId: record.messageId, received });
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

function checkAggregate(received: ReceivedEvent, { name }: AnyAggregate): void {
  if (received.aggregate === name) return;
  throw codedError(
    "EVENT_MISROUTED",
    `The message is an event of "${shortened(received.aggregate)}", but "${name}" is subscribed to. Look at the rule of this queue.`,
  );
}

function parsed(record: SQSRecord): unknown {
  try {
    return JSON.parse(record.body);
  } catch {
    return undefined;
  }
}
