import { type CustomTypesConfig, escapeIdentifier, escapeLiteral, types } from "pg";
import type { Row } from "../define/change";
import type { Field, Fields } from "../define/fields";
import { canonical } from "../store/spelling";
import { codedError } from "../function/coded-error";

/** A PostgreSQL function takes at most 100 arguments: 50 names with their values. */
const MAX_FIELDS_PER_OBJECT = 50;

/**
 * An SQL expression that makes a JSON object of a row's columns: what the fields' schemas say of what the columns
 * hold, or an error where they cannot hold it exactly (framework migration 0005). Every state of an event and every
 * row that a command reads is made by it.
 *
 * @param fields field -> what it holds
 * @param columns field -> column
 * @param row the row's alias in the query
 */
export function jsonOf(fields: Fields, columns: Readonly<Record<string, string>>, row: string): string {
  const all = Object.entries(fields).map(([name, field]) => {
    const column = `${row}.${escapeIdentifier(columns[name] ?? name)}`;
    return { pair: `${escapeLiteral(name)}, ${carried(field, column)}`, column, field };
  });
  const isAbsent = ({ field }: { field: Field }) => field.isOptional && !field.isNullable;
  const present = all.filter((one) => !isAbsent(one)).map(({ pair }) => pair);
  const parts: string[] = [];
  for (let start = 0; start < Math.max(1, present.length); start += MAX_FIELDS_PER_OBJECT)
    parts.push(`jsonb_build_object(${present.slice(start, start + MAX_FIELDS_PER_OBJECT).join(", ")})`);
  for (const { pair, column } of all.filter(isAbsent))
    parts.push(`case when ${column} is null then '{}' else jsonb_build_object(${pair}) end`);
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(" || ")})`;
}

function carried({ kind, digits, shape }: Field, column: string): string {
  switch (kind) {
    case "text":
      return `${column}::text`;
    case "uuid":
      // A text column may hold capitals, which no lookup would find.
      return `case when ${column}::text = lower(${column}::text) then to_jsonb(${column}::text) else public.refuse_value('a UUID in capitals') end`;
    case "boolean":
      return column;
    case "integer":
    case "number":
      return `public.carry_number(${column})`;
    case "date":
      return `public.carry_date(${column})`;
    case "datetime":
      return `public.carry_datetime(${column}, ${digits ?? "null"})`;
    case "json":
      return `public.carry_json(${column}, ${escapeLiteral(JSON.stringify(shape))})`;
  }
}

/** Field values as parameters of a query: objects and lists as JSON, since pg would send a list as an array. */
export function encodedRow(fields: Fields, row: Row): Row {
  const entries = Object.entries(row).map(([name, value]) => [name, encoded(own(fields, name), value)]);
  return Object.fromEntries(entries) as Row;
}

/** A field's value as a parameter of a query. SQL expressions stay as they are. */
export function encoded(field: Field | undefined, value: unknown): unknown {
  if (field?.kind !== "json" || value === undefined || value === null || isExpression(value)) return value;
  return JSON.stringify(value);
}

/** Whether a value is an expression of Kysely, which only the database can evaluate. */
export function isExpression(value: unknown): boolean {
  return (
    typeof value === "function" || (typeof value === "object" && value !== null && "toOperationNode" in value)
  );
}

/**
 * A value of a query's result, which pg has parsed by the column's type, as the field's type says: a bigint as a
 * number, a time as a text.
 *
 * @throws INVALID_VALUE for a number that JavaScript does not hold exactly
 */
export function decoded(field: Field | undefined, value: unknown): unknown {
  if (!field) return value;
  if (value === null || value === undefined) return field.isNullable ? null : undefined;
  switch (field.kind) {
    case "integer":
    case "number": {
      const number = Number(value);
      if (Math.abs(number) <= Number.MAX_SAFE_INTEGER) return number;
      throw codedError(
        "INVALID_VALUE",
        "A number in the database has more digits than a JavaScript number holds.",
      );
    }
    case "datetime":
      return canonical(field, withZone(value));
    case "text":
      return String(value);
    case "uuid":
      return canonical(field, value);
    default:
      return value;
  }
}

/** The types of dates and times (pg_type): date, timestamp, timestamptz. */
const TIMES: readonly number[] = [1082, 1114, 1184];

/** pg's parsers, but for times, which it would parse to a `Date` without microseconds. */
export function typeParsers(): CustomTypesConfig {
  return {
    getTypeParser: ((oid: number, format: "text") =>
      TIMES.includes(oid) ? String : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
  };
}

/** A time as PostgreSQL writes it ("2026-11-27 09:30:00.5+00"), or as pg parses it, in ISO 8601. */
function withZone(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  const text = String(value).replace(/^(\d{4,}-\d\d-\d\d) /, "$1T");
  return text.replace(/([+-]\d\d)$/, "$1:00");
}

function own(fields: Fields, name: string): Field | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
