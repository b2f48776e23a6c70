import type { z } from "zod";

/** What an event carries: what happened, and the aggregate's public state after it (`null` once it is gone). */
export interface EventData {
  change: unknown;
  state: unknown;
}

/** One version of an event type. */
export interface EventContract {
  /**
   * Schema version, 1 or more. Raise it by one when `change` or the state changes in a way that older readers cannot read.
   */
  version: number;
  /** Makes the schema of `change`. A thunk, because a zod instance cannot be serialized into a Lambda package. */
  change: () => z.ZodObject;
  /**
   * Turns data of an older version into the current one; called before a consumer reads it.
   *
   * @default data is read as it is
   */
  upcast?: (data: EventData, version: number) => EventData;
}

/** How a contract writes an event type: the schema of its `change`, which makes it version 1, or a later version. */
export type EventDeclaration = (() => z.ZodObject) | EventContract;

/** Any aggregate's contract, for code that works on all of them. */
export interface AnyAggregate {
  kind: "aggregate";
  /** "<domain>.<Aggregate>", e.g. "customers.Customer". */
  name: string;
  /** The domain that owns it, e.g. "customers". */
  domain: string;
  key: string;
  state: () => z.ZodObject;
  events: Record<string, EventContract>;
}

/** A contract: an aggregate's public state and its event types, the only thing that another domain may import. */
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
/** What an event type's `change` says. */
export type ChangeOf<A extends AnyAggregate, T extends EventTypeOf<A>> = z.output<
  ReturnType<A["events"][T]["change"]>
>;

/**
 * Declares the contract of an aggregate.
 *
 * @param name "<domain>.<Aggregate>": the folder that owns it, and its name in PascalCase, e.g. "customers.Customer"
 * @param contract.key the field of the state that identifies one aggregate; text
 * @param contract.state makes the schema of the public state; private fields stay out of it (see `table`)
 * @param contract.events event type (PascalCase, past tense) -> what makes the schema of its `change`
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
    // Each has the schema that its declaration makes.
    events: Object.fromEntries(events) as Aggregate<S, E, K>["events"],
  };
}

/** An aggregate's name without its domain, e.g. "Customer". */
export function shortName({ name }: Pick<AnyAggregate, "name">): string {
  return name.slice(name.indexOf(".") + 1);
}
