import type { z } from "zod";
import type { AnyAggregate } from "../define/aggregate";
import type { MadeTable, Row } from "../define/change";
import { type DataIssue, issuesText } from "../envelope/data-issues";
import { ID_RULE, isId, parseData } from "../envelope/portable-data";
import { codedError, shortened } from "../function/coded-error";
import { canonicalInput } from "./spelling";

/**
 * Bytes of an event's payload ({"change", "state"} as UTF-8 JSON). EventBridge takes entries of 256 KiB
 * everywhere (1 MiB since January 2026); 16 KiB are left for the envelope. PostgreSQL checks the same figure
 * (framework migration 0002).
 */
export const MAX_PAYLOAD_BYTES = 240 * 1024;

/**
 * Checks an event's `change` against its contract.
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
  const schema = closedChange(contract.change());
  const result = parseData(schema, change);
  if ("data" in result) return canonicalInput(schema, result.data, "out");
  throw codedError(
    "INVALID_CHANGE",
    `The change of "${type}" does not fit its contract: ${issuesText(result.issues)}. Nothing was written.`,
  );
}

/**
 * The schema of a change, which refuses fields that it does not name. One that declares how to treat other
 * fields (loose, catchall) keeps that.
 */
export function closedChange(schema: z.ZodObject): z.ZodObject {
  return schema.def.catchall ? schema : schema.strict();
}

/**
 * Checks an aggregate's public state against its contract.
 *
 * @returns the state as the schema yields it, without fields that the contract does not publish
 * @throws INVALID_STATE
 */
export function validState(aggregate: AnyAggregate, state: unknown): Record<string, unknown> {
  const result = parseData(aggregate.state(), state);
  if ("data" in result) return result.data;
  throw invalidState(aggregate, result.issues);
}

/**
 * Checks some fields of a row, each by itself.
 *
 * @throws INVALID_STATE
 */
export function validFields(
  aggregate: AnyAggregate,
  { shape }: z.ZodObject,
  fields: Record<string, unknown>,
): void {
  const issues = Object.entries(fields).flatMap(([field, value]) => {
    // A contract's fields are zod's own types, whose core type the shape shows.
    const schema = shape[field] as z.ZodType | undefined;
    const result = schema ? parseData(schema, value) : undefined;
    if (!result || "data" in result) return [];
    return result.issues.map(({ path, message }) => ({ path: path ? `${field}.${path}` : field, message }));
  });
  if (issues.length > 0) throw invalidState(aggregate, issues);
}

/**
 * The public state of a row: absent fields that may be null are null, as a database says it.
 *
 * @returns undefined when a field is missing that the state requires
 * @throws INVALID_STATE
 */
export function stateOf({ aggregate, fields }: MadeTable, row: Row): Record<string, unknown> | undefined {
  const entries = Object.entries(fields.public).map(([name, { isNullable }]) => [
    name,
    row[name] === undefined && isNullable ? null : row[name],
  ]);
  const state = Object.fromEntries(entries) as Row;
  const missing = Object.entries(fields.public).some(
    ([name, { isOptional, hasDefault }]) => state[name] === undefined && !isOptional && !hasDefault,
  );
  return missing ? undefined : validState(aggregate, state);
}

/**
 * Checks the private fields of a new row, and fills in what their schema fills in.
 *
 * @throws INVALID_STATE
 */
export function validPrivateFields(
  { aggregate, private: hidden }: Pick<MadeTable, "aggregate" | "private">,
  row: Row,
): Row {
  const result = parseData(hidden(), row);
  if ("data" in result) return result.data;
  throw codedError(
    "INVALID_STATE",
    `The private fields of ${aggregate.name} do not fit their schema: ${issuesText(result.issues)}. Nothing was written.`,
  );
}

/**
 * Checks an aggregate's key, which every store and every projection must accept.
 *
 * @throws INVALID_KEY
 */
export function validKey({ name, key }: AnyAggregate, id: unknown): string {
  if (isId(id)) return id;
  const given = typeof id === "string" ? `"${shortened(id)}", a text of ${id.length} characters` : typeof id;
  throw codedError("INVALID_KEY", `The ${key} of ${name} is not ${ID_RULE}: ${given}. Use another key.`);
}

function invalidState({ name }: AnyAggregate, issues: DataIssue[]) {
  return codedError(
    "INVALID_STATE",
    `The state of ${name} does not fit its contract: ${issuesText(issues)}. Nothing was written.`,
  );
}
