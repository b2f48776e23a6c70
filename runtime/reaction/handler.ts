import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { DomainEvent, Reactions } from "../define/react";
import { currentData, type ReceivedEvent } from "../envelope/cloud-event";
import { childTraceparent } from "../envelope/trace-context";
import { codedError } from "../function/coded-error";
import type { VariableName } from "../function/environment";
import { handler } from "../function/handler";
import { log } from "../function/log";
import { failedMessages, logFailure, readMessages } from "../function/queue-messages";
import { commitOnFreshReads } from "../store/retries";
import type { Store, StoreOpener } from "../store/store";

/** A reaction that keeps losing the race for its aggregate gives the event back to the queue after so many tries. */
const MAX_ATTEMPTS = 8;

/**
 * Makes the handler of a subscription that reacts: each event's changes, their events and the inbox record are one transaction, so a
 * reaction takes effect once, however often its event is delivered.
 *
 * @param consumer "<domain>.<subscription>": whose inbox record it is
 */
export function makeReactionHandler<V extends VariableName>(
  consumer: string,
  reactions: Reactions,
  opener: StoreOpener<V>,
) {
  return handler(opener.variables, (environment) => {
    const store = opener.open(environment);
    return async (batch: SQSEvent): Promise<SQSBatchResponse> => {
      const { messages, unreadable: failed } = readMessages(batch, reactions.aggregate);
      // One after another: events of one batch often touch the same aggregate.
      for (const { messageId, received } of messages) {
        if (!Object.hasOwn(reactions.on, received.event.type)) continue;
        try {
          await runReaction(consumer, reactions, received, store);
        } catch (error) {
          logFailure(messageId, received.event.id, error);
          failed.push(messageId);
        }
      }
      log("info", "Events reacted to", { consumer, events: batch.Records.length, failed: failed.length });
      return failedMessages(failed);
    };
  });
}

async function runReaction(
  consumer: string,
  { aggregate, uses, on }: Reactions,
  received: ReceivedEvent,
  store: Store,
): Promise<void> {
  const { event, version } = received;
  const context = {
    correlationId: event.correlationid,
    causationId: event.id,
    traceparent: childTraceparent(event.traceparent),
    once: { consumer, messageId: event.id },
  };
  const react = async () => {
    const { change, state } = currentData(aggregate, received);
    const domainEvent = {
      id: event.id,
      type: event.type,
      aggregateId: event.subject,
      version,
      time: event.time,
      // The producer validated both before it committed; consumers are tolerant readers.
      change: change as DomainEvent["change"],
      state: state as DomainEvent["state"],
    } satisfies DomainEvent;
    // Whoever declared the reaction typed its handles and event by what it uses and reacts to.
    return (await on[event.type]?.(domainEvent as never, store.handles(uses) as never)) ?? [];
  };
  const result = await commitOnFreshReads(react, store, context, MAX_ATTEMPTS);
  // What it needs is not here (yet): nobody is there to be told, so the event comes again.
  if ("kind" in result) throw codedError(result.code, result.message);
  if (result.outcome === "conflict") {
    throw codedError(
      "REACTION_CONFLICT",
      `The reaction to "${event.type}" lost the race for its aggregate ${MAX_ATTEMPTS} times; the event is tried again.`,
    );
  }
  if (result.outcome === "unknown") {
    throw codedError(
      "REACTION_UNKNOWN",
      `It is not known whether the reaction to "${event.type}" took effect, since the database did not answer; the event is tried again, and the inbox tells.`,
    );
  }
}
