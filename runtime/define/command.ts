import type { z } from "zod";
import type { Described } from "./change";
import type { HandlesOf, Uses } from "./handles";
import type { Rejection } from "./rejection";

export interface AnyCommand {
  kind: "command";
  uses: Uses;
  input: () => z.ZodType;
  handle: (input: never, handles: never) => Described<Rejection>;
}

/** A request that changes a domain. */
export interface Command<I extends z.ZodType> extends AnyCommand {
  input: () => I;
}

/**
 * Declares a command.
 *
 * @param definition.uses tables and projections of the command's domain, by the names they are registered by
 * @param definition.input makes the schema of the input
 * @param definition.handle receives the validated input and the handles of what the command uses; returns the
 *   changes to make (none: an empty array) or a rejection. It runs again when its changes lose a race, so it
 *   must only read and describe changes.
 */
export function command<I extends z.ZodType, U extends Uses>(definition: {
  uses: U;
  input: () => I;
  handle: (input: z.output<I>, handles: HandlesOf<U>) => Described<Rejection>;
}): Command<I> {
  return { kind: "command", ...definition };
}
