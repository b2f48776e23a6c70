import type { AnyAggregate, ChangeOf, EventTypeOf, StateOf } from "./aggregate";
import type { HandlesOf, Uses } from "./handles";
import type { StagedChange } from "../store/store";

/** An event as a reaction receives it. */
export interface DomainEvent<
  A extends AnyAggregate = AnyAggregate,
  T extends EventTypeOf<A> = EventTypeOf<A>,
> {
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

/** Local logic run once per event of one type. */
export interface Reaction<A extends AnyAggregate, T extends EventTypeOf<A>> {
  kind: "reaction";
  aggregate: A;
  type: T;
  uses: Uses;
  handle: (event: DomainEvent<A, T>, handles: never) => Promise<StagedChange | StagedChange[]>;
}

/** Any reaction. */
export interface AnyReaction {
  kind: "reaction";
  aggregate: AnyAggregate;
  type: string;
  uses: Uses;
  handle: (event: never, handles: never) => Promise<StagedChange | StagedChange[]>;
}

/** A subscription that reacts. */
export interface Reactions {
  kind: "react";
  aggregate: AnyAggregate;
  handlers: Record<string, AnyReaction>;
}

/**
 * Subscribes to an aggregate with reactions: each runs once per event, its changes and its inbox record in one transaction.
 *
 * @param handlers event type -> reaction; other event types are not subscribed to
 */
export function react<A extends AnyAggregate, const H extends { [T in EventTypeOf<A>]?: Reaction<A, T> }>(
  aggregate: A,
  handlers: H & { [T in Exclude<keyof H, EventTypeOf<A>>]: never },
): Reactions {
  return { kind: "react", aggregate, handlers };
}

/**
 * Declares local logic for one event type.
 *
 * @param logic.uses tables and projections of the own domain, under the names they are registered by
 * @param logic.handle returns the changes to make (none: an empty array; a microservice's: 49 at most). It may run again when the changes lost a race, so it
 *   does nothing but read and describe changes. An error sends the event back to its queue, and in the end to the
 *   dead-letter queue.
 */
export function reaction<A extends AnyAggregate, T extends EventTypeOf<A>, U extends Uses>(
  aggregate: A,
  type: T,
  logic: {
    uses: U;
    handle: (event: DomainEvent<A, T>, handles: HandlesOf<U>) => Promise<StagedChange | StagedChange[]>;
  },
): Reaction<A, T> {
  return { kind: "reaction", aggregate, type, ...logic };
}
