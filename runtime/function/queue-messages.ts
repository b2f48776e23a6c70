import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { AnyAggregate } from "../define/aggregate";
import { readCloudEvent, type ReceivedEvent } from "../envelope/cloud-event";
import { parsedJson } from "../envelope/portable-data";
import { codedError } from "./coded-error";
import { log } from "./log";
import { loggedReason } from "./private-values";
import { idSpelling } from "../store/spelling";

/** A domain event and the message that delivered it. */
export interface ReceivedMessage {
  messageId: string;
  received: ReceivedEvent;
}

/**
 * The messages of a batch that hold a domain event, and the ids of those that do not and go back to the
 * queue.
 */
export interface ReadMessages {
  messages: ReceivedMessage[];
  unreadable: string[];
}

/**
 * Reads the domain events in a batch of queue messages, each of which is the EventBridge event that a rule
 * delivered.
 *
 * @param aggregate the subscribed aggregate; events of any other count as unreadable
 */
export function readMessages(event: SQSEvent, aggregate: AnyAggregate): ReadMessages {
  const read: ReadMessages = { messages: [], unreadable: [] };
  const spelled = idSpelling(aggregate);
  for (const record of event.Records) {
    try {
      const received = readCloudEvent(parsedJson(record.body));
      checkAggregate(received, aggregate);
      received.event.subject = spelled(received.event.subject);
      read.messages.push({ messageId: record.messageId, received });
    } catch (error) {
      logFailure(record.messageId, undefined, error);
      read.unreadable.push(record.messageId);
    }
  }
  return read;
}

/**
 * The partial batch response of a queue: SQS delivers these messages again, and finally moves them to the
 * dead-letter queue.
 */
export function failedMessages(messageIds: string[]): SQSBatchResponse {
  return { batchItemFailures: messageIds.map((itemIdentifier) => ({ itemIdentifier })) };
}

/** Logs why a message goes back to its queue. */
export function logFailure(messageId: string, eventId: string | undefined, error: unknown): void {
  log("error", "Returned a message to its queue", { messageId, eventId, ...loggedReason(error) });
}

function checkAggregate(received: ReceivedEvent, { name }: AnyAggregate): void {
  if (received.aggregate === name) return;
  throw codedError(
    "EVENT_MISROUTED",
    `The message is an event of another aggregate, but this queue subscribes to "${name}". Check the rule of this queue.`,
  );
}
