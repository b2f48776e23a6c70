import type { z } from "zod";

/**
 * The data of an event: `change` says what happened, `state` is the public state after it (`null` once the
 * aggregate is gone).
 */
export interface EventData {
  change: unknown;
  state: unknown;
}

/** One version of an event type. */
export interface EventContract {
  /** Schema version, at least 1. Raise it by one when older readers cannot read the new `change` or state. */
  version: number;
  /**
   * Makes the schema of `change`. It is a thunk because a zod instance cannot be serialized into a Lambda
   * package.
   */
  change: () => z.ZodObject;
  /**
   * Converts data of an older version to the current one, before a consumer reads it.
   *
   * @default consumers read older data as it is
   */
  upcast?: (data: EventData, version: number) => EventData;
}

/** How a contract declares an event type: by the schema of its `change` (version 1), or with a version. */
export type EventDeclaration = (() => z.ZodObject) | EventContract;

/** Any aggregate's contract. */
export interface AnyAggregate {
  kind: "aggregate";
  /** "<domain>.<Aggregate>", e.g. "customers.Customer". */
  name: string;
  /** The owning domain, e.g. "customers". */
  domain: string;
  key: string;
  state: () => z.ZodObject;
  events: Record<string, EventContract>;
}

/**
 * A contract: an aggregate's public state and its event types, the only part of a domain that another domain
 * may import.
 */
export interface Aggregate<
  S extends z.ZodObject,
  E extends Record<string, EventDeclaration>,
  K extends string,
> extends AnyAggregate {
  key: K;
  state: () => S;
  events: { [T in keyof E & string]: EventContract & { change: () => ChangeSchemaOf<E[T]> } };
}

type ChangeSchemaOf<D> = Extract<
  D extends () => infer S ? S : D extends { change: () => infer S } ? S : never,
  z.ZodObject
>;

/** The public state of an aggregate. */
export type StateOf<A extends AnyAggregate> = z.output<ReturnType<A["state"]>>;
/** The names of an aggregate's event types. */
export type EventTypeOf<A extends AnyAggregate> = keyof A["events"] & string;
/** The `change` of an event type. */
export type ChangeOf<A extends AnyAggregate, T extends EventTypeOf<A>> = z.output<
  ReturnType<A["events"][T]["change"]>
>;

/**
 * Declares the contract of an aggregate.
 *
 * @param name "<domain>.<Aggregate>": the owning folder, and the aggregate in PascalCase, e.g.
 *   "customers.Customer"
 * @param contract.key the text field of the state that identifies an aggregate
 * @param contract.state makes the schema of the public state; it has no private fields (see `table`)
 * @param contract.events event type (PascalCase, past tense) -> makes the schema of its `change`
 */
export function aggregate<
  S extends z.ZodObject,
  const E extends Record<string, EventDeclaration>,
  const K extends keyof z.output<S> & string,
>(name: `${string}.${string}`, contract: { key: K; state: () => S; events: E }): Aggregate<S, E, K> {
  const events = Object.entries(contract.events).map(([type, declared]) => [
    type,
    typeof declared === "function" ? { version: 1, change: declared } : declared,
  ]);
  return {
    kind: "aggregate",
    name,
    domain: name.slice(0, name.indexOf(".")),
    key: contract.key,
    state: contract.state,
    events: Object.fromEntries(events) as Aggregate<S, E, K>["events"],
  };
}

/** An aggregate's name without its domain, e.g. "Customer". */
export function shortName({ name }: Pick<AnyAggregate, "name">): string {
  return name.slice(name.indexOf(".") + 1);
}
