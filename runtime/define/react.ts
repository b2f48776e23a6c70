import type { AnyAggregate, ChangeOf, EventTypeOf, StateOf } from "./aggregate";
import type { Described } from "./change";
import type { HandlesOf, Uses } from "./handles";

/** An event as a reaction receives it. */
export interface DomainEvent<
  A extends AnyAggregate = AnyAggregate,
  T extends EventTypeOf<A> = EventTypeOf<A>,
> {
  /** UUIDv7. */
  id: string;
  type: T;
  aggregateId: string;
  version: number;
  /** When it happened, ISO 8601. */
  time: string;
  change: ChangeOf<A, T>;
  /** The aggregate's public state after the event; null once it is gone. */
  state: StateOf<A> | null;
}

/** A reaction to one event type. */
export type AnyReaction = (event: never, handles: never) => Described;

/** A subscription with reactions. */
export interface Reactions {
  kind: "react";
  aggregate: AnyAggregate;
  uses: Uses;
  /** Event type -> reaction. */
  on: Record<string, AnyReaction>;
}

/**
 * Subscribes to an aggregate with reactions. A reaction takes effect once per event, because its changes and
 * its inbox record are one transaction.
 *
 * @param reactions.uses tables and projections of the reaction's domain, by the names they are registered by
 * @param reactions.on event type -> reaction; other event types are not delivered. A reaction receives the
 *   event and the handles of what it uses, and returns the changes to make (none: an empty array; in a
 *   microservice at most 49). It runs again when its changes lose a race, so it must only read and describe
 *   changes. An error sends the event back to its queue, and finally to the dead-letter queue.
 */
export function react<A extends AnyAggregate, U extends Uses>(
  aggregate: A,
  reactions: {
    uses: U;
    on: {
      [T in EventTypeOf<A>]?: (event: DomainEvent<A, T>, handles: HandlesOf<U>) => Described;
    };
  },
): Reactions {
  const { uses, on } = reactions;
  return { kind: "react", aggregate, uses, on: on as Reactions["on"] };
}
