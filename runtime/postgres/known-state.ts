import type { AnyPostgresTable } from "../define/table";
import type { DescribedChange } from "./statement";
import { validFields, validState } from "../store/validation";

/**
 * Checks the public state that a change leads to as far as it is known before the database has run it: all of it for an insert,
 * the fields that are set for an update (the others were checked when they were written).
 *
 * @returns false when only the database can tell: a value is an expression or a default, or the contract checks fields
 *   against each other; the change then needs a transaction, to look at the state before the commit
 * @throws INVALID_STATE when what is known does not fit the contract
 */
export function isKnownToBeValid(table: AnyPostgresTable, described: DescribedChange): boolean {
  if (described.operation === "delete") return true;
  const { aggregate, columns } = table;
  const known: Record<string, unknown> = {};
  for (const [field, column] of Object.entries(columns)) {
    const value = described.values[column];
    if (value === undefined) continue;
    if (isExpression(value)) return false;
    known[field] = value;
  }
  if (described.more) return false;
  if (described.operation === "insert") {
    if (Object.keys(known).length < Object.keys(columns).length) return false;
    validState(aggregate, known);
    return true;
  }
  if ((aggregate.state().def.checks ?? []).length > 0) return false;
  validFields(aggregate, known);
  return true;
}

function isExpression(value: unknown): boolean {
  return (
    typeof value === "function" || (typeof value === "object" && value !== null && "toOperationNode" in value)
  );
}
