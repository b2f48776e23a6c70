import type { AnyAggregate, StateOf } from "./aggregate";
import type { TextIn } from "./table";

export interface AnyProjection {
  kind: "project";
  aggregate: AnyAggregate;
  select: (state: never) => Record<string, unknown>;
  indexes: readonly string[];
}

/** A local copy of another domain's aggregates, with the fields that this domain needs. */
export interface Projection<
  A extends AnyAggregate,
  F extends Record<string, unknown>,
  I extends string,
> extends AnyProjection {
  aggregate: A;
  select: (state: StateOf<A>) => F;
  indexes: readonly I[];
}

/**
 * The type that `project` returns for an index on anything but a text field that `select` keeps: a domain
 * cannot register or use it. The parameter itself cannot be typed so, because TypeScript checks it before it
 * knows what `select` returns.
 */
export interface IndexIsNotOnTextField<Field> {
  indexIsNotOnTextField: Field;
}

/**
 * The type that `project` returns. For a call without indexes in argument position, TypeScript infers
 * `string`.
 */
type ProjectionOf<
  A extends AnyAggregate,
  F extends Record<string, unknown>,
  I extends string,
> = string extends I
  ? Projection<A, F, never>
  : [I] extends [TextIn<F>]
    ? Projection<A, F, I>
    : IndexIsNotOnTextField<Exclude<I, TextIn<F>>>;

/**
 * Subscribes to an aggregate with a projection: a DynamoDB table with one item per aggregate, as recent as
 * the newest event that has arrived, in whatever order events arrive.
 *
 * @param select returns the fields to keep of the aggregate's public state
 * @param options.indexes kept text fields to look items up by (`where`). @default none
 */
export function project<
  A extends AnyAggregate,
  F extends Record<string, unknown>,
  const I extends string = never,
>(
  aggregate: A,
  select: (state: StateOf<A>) => F,
  options: { indexes?: readonly I[] } = {},
): ProjectionOf<A, F, I> {
  const projection: Projection<A, F, I> = {
    kind: "project",
    aggregate,
    select,
    indexes: options.indexes ?? [],
  };
  // The other type exists only to stop a wrong index from compiling.
  return projection as never;
}
