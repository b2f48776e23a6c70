import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import type { DomainEvent, Reactions } from "../define/react";
import { childTraceparent, currentData, type ReceivedEvent } from "../envelope/cloud-event";
import { codedError } from "../function/coded-error";
import { handler, type VariableName } from "../function/handler";
import { log } from "../function/log";
import { failedMessages, logFailure, readMessages } from "../function/queue-messages";
import { inTime, shareOfTime } from "../function/time-left";
import { commitOnFreshReads } from "../store/retries";
import type { Store, StoreOpener } from "../store/store";

/**
 * Attempts of a reaction that keeps losing the race for its aggregate, before its event goes back to the
 * queue.
 */
const MAX_ATTEMPTS = 8;

/**
 * Makes the handler of a subscription with reactions. The changes for an event, their events and the inbox
 * record are one transaction, so a reaction takes effect once, however often its event is delivered.
 *
 * Each message has an equal share of the time that is left, and what remains when the time is up goes back
 * untouched: a message that waits for a lock or for another system starves none behind it. One that was given up
 * may still take effect; then its next delivery finds its inbox record.
 *
 * @param consumer "<domain>.<subscription>": the consumer in its inbox records
 */
export function makeReactionHandler<V extends VariableName>(
  consumer: string,
  reactions: Reactions,
  opener: StoreOpener<V>,
) {
  return handler(opener.variables, (environment) => {
    const store = opener.open(environment);
    return async (batch: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
      const { messages, unreadable: failed } = readMessages(batch, reactions.aggregate);
      const handled = messages.filter(({ received }) => Object.hasOwn(reactions.on, received.event.type));
      let untouched = 0;
      // Sequentially, because events of one batch often change the same aggregate.
      for (const [index, { messageId, received }] of handled.entries()) {
        const milliseconds = shareOfTime(context.getRemainingTimeInMillis(), handled.length - index);
        if (milliseconds === undefined) {
          untouched = handled.length - index;
          failed.push(...handled.slice(index).map((one) => one.messageId));
          break;
        }
        try {
          const react = () => runReaction(consumer, reactions, received, store);
          await inTime(milliseconds, store.within ? store.within(milliseconds, react) : react());
        } catch (error) {
          logFailure(messageId, received.event.id, error);
          failed.push(messageId);
        }
      }
      const counts = { events: batch.Records.length, failed: failed.length, untouched };
      log(untouched > 0 ? "warn" : "info", "Events reacted to", { consumer, ...counts });
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
    // `react()` typed the event and the handles when the reaction was declared.
    return (await on[event.type]?.(domainEvent as never, store.handles(uses) as never)) ?? [];
  };
  const result = await commitOnFreshReads(react, store, context, MAX_ATTEMPTS);
  // A reaction has no caller to answer. What it needs may still arrive, so the event is delivered again.
  if ("kind" in result) throw codedError(result.code, result.message);
  if (result.outcome === "conflict") {
    throw codedError(
      "REACTION_CONFLICT",
      `The reaction to "${event.type}" lost the race for its aggregate ${MAX_ATTEMPTS} times. The event is delivered again.`,
    );
  }
  if (result.outcome === "unknown") {
    throw codedError(
      "REACTION_UNKNOWN",
      `The database did not answer, so it is unknown whether the reaction to "${event.type}" took effect. The event is delivered again; the inbox prevents a second effect.`,
    );
  }
}
