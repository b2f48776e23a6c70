import { isDeepStrictEqual } from "node:util";
import type { Row } from "../define/change";
import { codedError } from "../function/coded-error";
import { stateOf, validFields, validPrivateFields, validState } from "../store/validation";
import type { IdentifiedChange } from "./statement";

/**
 * Checks the fields of a change against their schemas, as far as they are known before the database runs it.
 *
 * @returns the change with what the schemas fill in; the new public state, undefined when only the database knows
 *   it: a query of Kysely's, or a required field that is left to a default of the column
 * @throws INVALID_STATE
 */
export function checkedFields(staged: IdentifiedChange): { staged: IdentifiedChange; state?: Row | null } {
  const { definition } = staged;
  switch (staged.operation) {
    case "create": {
      const state = stateOf(definition, staged.fields);
      const fields = { ...staged.fields, ...validPrivateFields(definition, staged.fields), ...state };
      return { staged: { ...staged, fields }, ...(state ? { state } : {}) };
    }
    case "update": {
      const hidden = Object.keys(definition.fields.private).filter(
        (name) => staged.fields[name] !== undefined,
      );
      const fields = Object.fromEntries(hidden.map((name) => [name, staged.fields[name]]));
      validFields(definition.aggregate, definition.private(), fields);
      const state = stateOf(definition, { ...staged.row, ...staged.fields });
      return { staged, ...(state ? { state } : {}) };
    }
    case "remove":
      return { staged, state: null };
    case "kysely":
      return { staged };
  }
}

/**
 * Checks the state that the database has made, before it is committed.
 *
 * @throws INVALID_STATE; VALUE_CHANGED if it holds another value than a verb has set
 */
export function checkMadeState(staged: IdentifiedChange, state: unknown): void {
  const { aggregate, fields } = staged.definition;
  const made = validState(aggregate, state);
  if (staged.operation !== "create" && staged.operation !== "update") return;
  const set = Object.keys(fields.public).filter((name) => staged.fields[name] !== undefined);
  const changed = set.filter((name) => !isDeepStrictEqual(made[name], staged.fields[name]));
  if (changed.length === 0) return;
  throw codedError(
    "VALUE_CHANGED",
    `The database has stored other values than "${staged.event}" of ${aggregate.name} gives: ${changed.join(", ")}. Nothing was written. ` +
      "The column's type or a trigger changes them: choose a type that holds them exactly, give the value that will be stored, or use withKysely, whose events say what the database makes.",
  );
}
