import type { AnyAggregate, StateOf } from "./aggregate";
import type { TextIn } from "./table";

/** Any projection. */
export interface AnyProjection {
  kind: "project";
  aggregate: AnyAggregate;
  select: (state: never) => Record<string, unknown>;
  indexes: readonly string[];
}

/** A local copy of another domain's aggregates: the fields that this domain needs of them. */
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
 * What `project` returns for an index that is not on a text field that `select` picks: nothing that a domain can register or use. The
 * indexes themselves cannot be typed so, because TypeScript checks them before it knows what `select` returns.
 */
export interface IndexIsNotOnTextField<Field> {
  indexIsNotOnTextField: Field;
}

/** What `project` returns. Where it is called in place, TypeScript takes `string` for indexes that are not given. */
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
 * Subscribes to an aggregate with a projection: a table in DynamoDB with one item for each aggregate, as new as the newest event that
 * has arrived, whatever order events arrive in.
 *
 * @param select picks the fields to keep from the aggregate's public state
 * @param options.indexes text fields among them to look rows up by (`where`). @default none
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
  // The other type only stops a wrong index from compiling.
  return projection as never;
}
