import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { currentData, type ReceivedEvent } from "../envelope/cloud-event";
import { codedError } from "../function/coded-error";
import { commitOnFreshReads } from "../store/commit-on-fresh-reads";
import { log } from "../function/log";
import { failedMessages, logFailure, readMessages } from "../function/queue-messages";
import type { Store } from "../store/store";
import type { AnyReaction, DomainEvent, Reactions } from "../define/react";
import { childTraceparent } from "../envelope/trace-context";

/** A reaction that keeps losing the race for its aggregate gives the event back to the queue after so many tries. */
const MAX_ATTEMPTS = 8;

/**
 * Makes the handler of a subscription that reacts: each event's changes, their events and the inbox record are one transaction, so a
 * reaction takes effect once, however often its event is delivered.
 *
 * @param consumer "<domain>.<subscription>": whose inbox record it is
 * @param makeStore opens the domain's database; called once a cold start
 */
export function makeReactionHandler(consumer: string, reactions: Reactions, makeStore: () => Store) {
  return () => {
    const store = makeStore();
    return async (batch: SQSEvent): Promise<SQSBatchResponse> => {
      const { messages, unreadable: failed } = readMessages(batch, reactions.aggregate);
      // One after another: events of one batch often touch the same aggregate.
      for (const { messageId, received } of messages) {
        const { type } = received.event;
        const handler = Object.hasOwn(reactions.handlers, type) ? reactions.handlers[type] : undefined;
        if (!handler) continue;
        try {
          await runReaction(consumer, handler, received, store);
        } catch (error) {
          logFailure(messageId, received.event.id, error);
          failed.push(messageId);
        }
      }
      log("info", "Events reacted to", { consumer, events: batch.Records.length, failed: failed.length });
      return failedMessages(failed);
    };
  };
}

async function runReaction(
  consumer: string,
  reaction: AnyReaction,
  received: ReceivedEvent,
  store: Store,
): Promise<void> {
  const { event } = received;
  const context = {
    correlationId: event.correlationid,
    causationId: event.id,
    traceparent: childTraceparent(event.traceparent),
    once: { consumer, messageId: event.id },
  };
  // Whoever declared the reaction typed its handles and event by what it uses and reacts to.
  const handles = store.handles(reaction.uses) as never;
  const react = () => reaction.handle(domainEvent(reaction, received) as never, handles);
  const { outcome } = await commitOnFreshReads<never>(react, store, context, MAX_ATTEMPTS);
  if (outcome === "conflict") {
    throw codedError(
      "REACTION_CONFLICT",
      `The reaction to "${event.type}" lost the race for its aggregate ${MAX_ATTEMPTS} times; the event is tried again.`,
    );
  }
  if (outcome === "unknown") {
    throw codedError(
      "REACTION_UNKNOWN",
      `It is not known whether the reaction to "${event.type}" took effect, since the database did not answer; the event is tried again, and the inbox tells.`,
    );
  }
}

function domainEvent(reaction: AnyReaction, received: ReceivedEvent): DomainEvent {
  const { event, version } = received;
  const { change, state } = currentData(reaction.aggregate, received);
  return {
    id: event.id,
    type: event.type,
    aggregateId: event.subject,
    version,
    time: event.time,
    // The producer validated both before it committed; consumers are tolerant readers.
    change: change as DomainEvent["change"],
    state: state as DomainEvent["state"],
  };
}
