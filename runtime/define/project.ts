import type { AnyAggregate, StateOf } from "./aggregate";

/** Any projection. */
export interface AnyProjection {
  kind: "project";
  aggregate: AnyAggregate;
  select: (state: never) => Record<string, unknown>;
}

/** A local copy of another domain's aggregates: the fields that this domain needs of them. */
export interface Projection<A extends AnyAggregate, F extends Record<string, unknown>> extends AnyProjection {
  aggregate: A;
  select: (state: StateOf<A>) => F;
}

/**
 * Subscribes to an aggregate with a projection: a table in DynamoDB with one item an aggregate, as new as the newest event
 * that has arrived, whatever order they arrive in.
 *
 * @param select the fields to keep, from the aggregate's public state
 */
export function project<A extends AnyAggregate, F extends Record<string, unknown>>(
  aggregate: A,
  select: (state: StateOf<A>) => F,
): Projection<A, F> {
  return { kind: "project", aggregate, select };
}
