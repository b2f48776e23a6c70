import { sql } from "kysely";
import type { Row } from "../define/change";
import type { AnyTable } from "../define/table";

/** Field -> column. */
export type Columns = Readonly<Record<string, string>>;

/** The column in which every entity table has its aggregate's version. */
export const VERSION = "version";

/** The version of a row that is changed. */
export function nextVersion(table: string) {
  return sql`${sql.ref(`${table}.${VERSION}`)} + 1`;
}

/** The columns of a module's table: of all its fields, and of those that an event's state is made of. */
export interface TableColumns {
  all: Columns;
  public: Columns;
  /** The column of the key. */
  key: string;
}

/** The columns of a module's table: each field's own in snake_case, unless the table maps it. */
export function columnsOf({ aggregate, private: hidden, columns }: AnyTable): TableColumns {
  const named = (fields: string[]): Columns =>
    Object.fromEntries(fields.map((field) => [field, columns[field] ?? snakeCase(field)]));
  const published = named(Object.keys(aggregate.state().shape));
  return {
    all: { ...published, ...named(Object.keys(hidden().shape)) },
    public: published,
    key: published[aggregate.key] ?? aggregate.key,
  };
}

/** "priceCents" -> "price_cents"; a run of capitals is one word: "siteURL" -> "site_url". */
export function snakeCase(field: string): string {
  return field
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}

/** Fields with their values -> columns with their values; what the table does not have is left out. */
export function toColumns(columns: Columns, fields: Row): Row {
  const known = Object.entries(fields).filter(([field]) => Object.hasOwn(columns, field));
  return Object.fromEntries(known.map(([field, value]) => [columns[field] as string, value]));
}
