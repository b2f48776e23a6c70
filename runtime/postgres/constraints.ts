import type { Rejection } from "../define/rejection";
import { errorCode } from "../function/coded-error";
import { isRaised } from "../function/private-values";
import { RESERVED_TABLES } from "./names";
import type { IdentifiedChange } from "./statement";

/** What PostgreSQL says of a refusal; these are names in the catalog. */
interface Refused {
  constraint?: string;
  table?: string;
  column?: string;
  dataType?: string;
}

/** SQLSTATE: not_null_violation. PostgreSQL 17 has no constraint for it. */
const NOT_NULL_VIOLATION = "23502";

/**
 * The rejection for a change that a constraint or a trigger of the domain refused: integrity constraint
 * violations (SQLSTATE class 23) and whatever a function in the database raised. Its code is the one that the
 * table maps the constraint to, or else made from the constraint's name.
 *
 * @returns undefined for any other error, and for the framework's own tables
 */
export function refusalOf(error: unknown, changes: readonly IdentifiedChange[]): Rejection | undefined {
  const sqlstate = errorCode(error) ?? "";
  const refused = error as Refused;
  if (RESERVED_TABLES.includes(refused.table ?? "")) return undefined;
  if (!sqlstate.startsWith("23") && !isRaised(error)) return undefined;
  const constraint = nameOf(sqlstate, refused);
  const name = constraint ?? sqlstate;
  const mapped = mappedIn(changes, refused.table, name);
  if (typeof mapped === "object") return { ...mapped, ...(constraint && { constraint }) };
  const aggregates = [...new Set(changes.map(({ definition }) => definition.aggregate.name))].join(", ");
  return {
    kind: "rejection",
    code: mapped ?? standardCode(name, constraint === undefined),
    message: `The database refused this change of ${aggregates} ${constraint ? `by the constraint "${constraint}"` : `in a trigger, with SQLSTATE "${sqlstate}"`}. Nothing was written.`,
    ...(constraint && { constraint }),
  };
}

/** The constraint's name. PostgreSQL 18 names a NOT NULL of a column like this by default. */
function nameOf(sqlstate: string, { constraint, table, column, dataType }: Refused): string | undefined {
  if (constraint) return constraint;
  if (sqlstate !== NOT_NULL_VIOLATION) return undefined;
  const place = table && column ? `${table}_${column}` : dataType;
  return place && `${place}_not_null`;
}

/** A foreign key is of the table that refers, which need not be the one that was changed. */
function mappedIn(changes: readonly IdentifiedChange[], table: string | undefined, name: string) {
  const own = changes.filter((change) => change.table === table);
  for (const { definition } of [...own, ...changes]) {
    const { rejections } = definition;
    if (Object.hasOwn(rejections, name)) return rejections[name];
  }
  return undefined;
}

/** "customers_email_key" -> "CUSTOMERS_EMAIL_KEY_VIOLATED"; "P0001" -> "P0001_RAISED". */
function standardCode(name: string, isSqlstate: boolean): string {
  const words = name
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
  return `${words || "CONSTRAINT"}_${isSqlstate ? "RAISED" : "VIOLATED"}`;
}
