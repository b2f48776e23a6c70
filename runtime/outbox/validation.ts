import type { z } from "zod";
import type { AnyAggregate } from "../contract";
import { codedError } from "../coded-error";

/**
 * Checks what an event will say happened, against its contract.
 *
 * @returns the change as the schema yields it
 * @throws EVENT_UNKNOWN, INVALID_CHANGE
 */
export function validChange(aggregate: AnyAggregate, type: string, change: unknown): unknown {
  const contract = Object.hasOwn(aggregate.events, type) ? aggregate.events[type] : undefined;
  if (!contract) {
    throw codedError(
      "EVENT_UNKNOWN",
      `${aggregate.name} has no event "${type}". Its events are ${Object.keys(aggregate.events).join(", ")}.`,
    );
  }
  const result = contract.change().strict().safeParse(change);
  if (!result.success) {
    throw codedError(
      "INVALID_CHANGE",
      `The change of "${type}" does not fit its contract: ${issuesOf(result.error)}.`,
    );
  }
  return result.data;
}

/**
 * Checks an aggregate's public state against its contract.
 *
 * @returns the state as the schema yields it, without fields that the contract does not publish
 * @throws INVALID_STATE
 */
export function validState(aggregate: AnyAggregate, state: unknown): Record<string, unknown> {
  const result = aggregate.state().safeParse(state);
  if (!result.success) {
    throw codedError(
      "INVALID_STATE",
      `The state of ${aggregate.name} does not fit its contract: ${issuesOf(result.error)}. Nothing was written.`,
    );
  }
  return result.data;
}

/** What zod found, in one line: where and what. Values are left out, since they may be private. */
export function issuesOf(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`).join("; ");
}
