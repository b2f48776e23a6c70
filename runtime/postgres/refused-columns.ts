import { type Kysely, sql } from "kysely";
import { escapeIdentifier } from "pg";
import type { DataIssue } from "../envelope/data-issues";
import { columnsOf } from "./columns";
import { type AnyDatabase, describeChange, type IdentifiedChange } from "./statement";

/**
 * Finds which values of refused changes do not fit their columns. PostgreSQL does not say it in its error, so it
 * is asked for each value whether its column's type takes it.
 *
 * @param sqlstate of the error, for the answer where no single value is wrong, e.g. an overflow in an expression
 * @returns at least one issue; its path is the field
 */
export async function issuesOf(
  db: Kysely<AnyDatabase>,
  changes: readonly IdentifiedChange[],
  sqlstate: string,
): Promise<DataIssue[]> {
  const issues: DataIssue[] = [];
  for (const change of changes) {
    // The refusal is known; that the connection breaks now does not change it.
    issues.push(...(await issuesOfChange(db, change).catch(() => [])));
  }
  if (issues.length > 0) return issues;
  return [{ path: "", message: `a value or a result does not fit (SQLSTATE ${sqlstate})` }];
}

async function issuesOfChange(db: Kysely<AnyDatabase>, change: IdentifiedChange): Promise<DataIssue[]> {
  const { values } = describeChange(db, change).described;
  const columns = columnsOf(change.definition).all;
  const given = Object.entries(columns).flatMap(([field, column]) => {
    const text = textOf(values[field]);
    return text === undefined ? [] : [{ field, column, text }];
  });
  if (given.length === 0) return [];
  const { rows } = await sql<{ field: string; type: string }>`
    select field, type from jsonb_to_recordset(${JSON.stringify(given)}::jsonb) as given (field text, "column" text, text text)
      join (select attname, format_type(atttypid, atttypmod) as type from pg_attribute
              where attrelid = to_regclass(${escapeIdentifier(change.table)})) as declared on attname = given.column
      where not pg_input_is_valid(given.text, type)`.execute(db);
  return rows.map(({ field, type }) => ({
    path: field,
    message: `does not fit its column, which is ${type}`,
  }));
}

/** A plain value as PostgreSQL reads it; undefined for null, an expression, a list or an object. */
function textOf(value: unknown): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  return ["string", "number", "bigint", "boolean"].includes(typeof value) ? String(value) : undefined;
}
