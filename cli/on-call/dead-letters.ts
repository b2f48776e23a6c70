import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { type EventInMessage, eventIn } from "./event-in-message";
import { deleteMessage, type HeldMessage, inTens, withHeldMessages } from "./held-messages";
import { choose, type RunningSystem, type SubscriptionQueues } from "../running-system";

/** A subscription, whose dead letters to handle. */
export interface DeadLetterOptions {
  domain: string;
  subscription: string;
}

/** A message in one of a subscription's dead-letter queues. */
export interface DeadLetter extends EventInMessage {
  messageId: string;
  /** "refused": the function failed 5 times; "undelivered": EventBridge could not deliver it to the queue. */
  why: "refused" | "undelivered";
  sentAt: string;
}

/** Numbers of redriven dead letters. */
export interface RedriveResult {
  refused: number;
  undelivered: number;
}

const QUEUES = { refused: "deadLetters", undelivered: "targetDeadLetters" } as const;

/**
 * Lists the dead letters of a subscription, oldest first.
 *
 * @throws NAME_UNKNOWN
 */
export async function listDeadLetters(
  system: RunningSystem,
  options: DeadLetterOptions,
): Promise<DeadLetter[]> {
  const queues = queuesOf(system, options);
  const listed: DeadLetter[] = [];
  for (const why of ["refused", "undelivered"] as const) {
    await withHeldMessages(system.clients.sqs, queues[QUEUES[why]], (held) => {
      listed.push(...held.map((message) => deadLetter(message, why)));
      return Promise.resolve();
    });
  }
  return listed.sort((one, other) => one.sentAt.localeCompare(other.sentAt));
}

/**
 * Redrives the dead letters of a subscription: those that the function refused and those that EventBridge
 * could not deliver. Each is sent before it is deleted, so it arrives at least once. This is safe at any
 * time, because a projection ignores older versions and a reaction takes effect once per event.
 *
 * @throws NAME_UNKNOWN, and the SDK's own errors; messages that were not redriven by then are still in their
 *   dead-letter queue
 */
export async function redriveDeadLetters(
  system: RunningSystem,
  options: DeadLetterOptions,
): Promise<RedriveResult> {
  const queues = queuesOf(system, options);
  const { sqs } = system.clients;
  const move = (from: string) =>
    withHeldMessages(sqs, from, async (held) => {
      await inTens(held, async (message) => {
        await sqs.send(new SendMessageCommand({ QueueUrl: queues.queue, MessageBody: message.body }));
        await deleteMessage(sqs, message);
      });
      return held.length;
    });
  return { refused: await move(queues.deadLetters), undelivered: await move(queues.targetDeadLetters) };
}

function queuesOf(system: RunningSystem, { domain, subscription }: DeadLetterOptions): SubscriptionQueues {
  const subscriptions = choose("domain", domain, system.queues);
  return choose(`subscription of "${domain}"`, subscription, subscriptions);
}

function deadLetter({ id, sentAt, body }: HeldMessage, why: DeadLetter["why"]): DeadLetter {
  return { messageId: id, why, sentAt, ...eventIn(body) };
}
