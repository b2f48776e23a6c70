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
  const schema = contract.change();
  // A contract that says itself what becomes of other fields is taken at its word.
  const result = (schema.def.catchall ? schema : schema.strict()).safeParse(change);
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
  if (!result.success) throw invalidState(aggregate, issuesOf(result.error));
  return result.data;
}

/**
 * Checks some fields of an aggregate's public state, each by itself.
 *
 * @throws INVALID_STATE
 */
export function validFields(aggregate: AnyAggregate, fields: Record<string, unknown>): void {
  const { shape } = aggregate.state();
  const issues = Object.entries(fields).flatMap(([field, value]) => {
    // A contract's fields are zod's own types, whose core type the shape shows.
    const result = (shape[field] as z.ZodType | undefined)?.safeParse(value);
    return result?.error?.issues.map((issue) => issueOf([field, ...issue.path], issue.message)) ?? [];
  });
  if (issues.length > 0) throw invalidState(aggregate, issues.join("; "));
}

function invalidState({ name }: AnyAggregate, issues: string) {
  return codedError(
    "INVALID_STATE",
    `The state of ${name} does not fit its contract: ${issues}. Nothing was written.`,
  );
}

/** What zod found, in one line: where and what. Values are left out, since they may be private. */
export function issuesOf(error: z.ZodError): string {
  return error.issues.map((issue) => issueOf(issue.path, issue.message)).join("; ");
}

function issueOf(path: PropertyKey[], message: string): string {
  return `${path.join(".") || "(root)"}: ${message}`;
}
