import type { Context } from "aws-lambda";
import { type Environment, readEnvironment, type VariableName } from "./environment";

/** A Lambda handler before it is packaged. */
export interface Handler<V extends VariableName, Event = never, Result = unknown> {
  /** The environment variables that it reads. */
  variables: readonly V[];
  /** Pulumi serializes this; it is called once at each cold start and makes the function that Lambda invokes. */
  callbackFactory: () => (event: Event, context: Context) => Promise<Result>;
}

/**
 * Declares a handler.
 *
 * @param variables the environment variables that it reads
 * @param make called once at each cold start with their values; makes clients and schemas, and the function that Lambda invokes
 */
export function handler<V extends VariableName, Event, Result>(
  variables: readonly V[],
  make: (environment: Environment<V>) => (event: Event, context: Context) => Promise<Result>,
): Handler<V, Event, Result> {
  return { variables, callbackFactory: () => make(readEnvironment(variables)) };
}
