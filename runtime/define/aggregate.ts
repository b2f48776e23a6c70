import type { z } from "zod";

/** One version of an event type: what its `change` looks like. The state that goes with it is the aggregate's. */
export interface EventContract {
  /** Schema version, 1 or more; raise it by one when `change` or the state changes in a way that older readers cannot read. */
  version: number;
  /** Makes the schema of `change`. A thunk, since a zod instance cannot be serialized into a Lambda package. */
  change: () => z.ZodObject;
  /** Turns data of an older version into the current one; called before a consumer reads it. Without it data is read as it is. */
  upcast?: (data: EventData, version: number) => EventData;
}

/** What an event carries: what happened, and the aggregate's public state after it (`null` once it is gone). */
export interface EventData {
  change: unknown;
  state: unknown;
}

/** Any aggregate's contract, for code that works on all of them. */
export interface AnyAggregate {
  kind: "aggregate";
  domain: string;
  name: string;
  key: string;
  state: () => z.ZodObject;
  events: Record<string, EventContract>;
}

/** A contract: an aggregate's public state and its event types, the only thing that another domain may import. */
export interface Aggregate<
  S extends z.ZodObject,
  E extends Record<string, EventContract>,
> extends AnyAggregate {
  key: keyof z.output<S> & string;
  state: () => S;
  events: E;
}

/** The public state of an aggregate. */
export type StateOf<A extends AnyAggregate> = z.output<ReturnType<A["state"]>>;
/** The names of an aggregate's event types. */
export type EventTypeOf<A extends AnyAggregate> = keyof A["events"] & string;
/** What an event type's `change` says. */
export type ChangeOf<A extends AnyAggregate, T extends EventTypeOf<A>> = z.output<
  ReturnType<A["events"][T]["change"]>
>;

/**
 * Declares the contract of an aggregate.
 *
 * @param definition.domain the domain (and folder) that owns it
 * @param definition.name in PascalCase, e.g. "Customer"
 * @param definition.key the field of the state that identifies one aggregate; a string
 * @param definition.state makes the schema of the public state; private columns stay out of it
 * @param definition.events the event types by name, in PascalCase and the past tense
 */
export function aggregate<S extends z.ZodObject, const E extends Record<string, EventContract>>(definition: {
  domain: string;
  name: string;
  key: keyof z.output<S> & string;
  state: () => S;
  events: E;
}): Aggregate<S, E> {
  return { kind: "aggregate", ...definition };
}

/** The name under which the outbox knows an aggregate: "<domain>.<Aggregate>". */
export function aggregateName(of: { domain: string; name: string }): string {
  return `${of.domain}.${of.name}`;
}
