import type { Pool } from "pg";
import { codedError } from "../../runtime/function/coded-error";
import type { CaptureSettings } from "./settings";
import type { ObjectMapping } from "./table-mappings";

/** A captured table, as the catalog describes it. */
export interface SourceTable {
  schema: string;
  name: string;
  columns: SourceColumn[];
  primaryKey: string[];
  mapping: ObjectMapping | undefined;
}

/** A column of a captured table. */
export interface SourceColumn {
  name: string;
  /** Without its length, e.g. "character varying"; of an enum or a domain its own name. */
  type: string;
  /** Characters of a varchar(n) or char(n). */
  length: number | undefined;
  nullable: boolean;
  /** What DMS takes for a large object and may cut: https://docs.aws.amazon.com/dms, "Source data types for PostgreSQL". */
  lob: "character" | "binary" | undefined;
}

/**
 * Reads the tables that the selection rules choose.
 *
 * @throws CAPTURE_NO_TABLES where there are none; CAPTURE_MAPPINGS_INVALID where a rule names a column that is not there
 */
export async function readSourceTables(
  pool: Pool,
  { mappings }: CaptureSettings,
): Promise<Map<string, SourceTable>> {
  const { rows } = await pool.query<CatalogRow>(COLUMNS_OF_ALL_TABLES);
  const tables = new Map<string, SourceTable>();
  for (const row of rows) {
    if (!mappings.selects(row.schema_name, row.table_name)) continue;
    const key = tableKey(row.schema_name, row.table_name);
    const table = tables.get(key) ?? {
      schema: row.schema_name,
      name: row.table_name,
      columns: [],
      primaryKey: [],
      mapping: mappings.mappingOf(row.schema_name, row.table_name),
    };
    tables.set(key, table);
    table.columns.push(columnOf(row));
    if (row.key_position !== null) table.primaryKey[row.key_position] = row.column_name;
  }
  if (tables.size === 0) {
    throw codedError(
      "CAPTURE_NO_TABLES",
      "No table of the database matches the selection rules of the table mappings. Run the migrations, or correct the rules (they are case-sensitive)",
    );
  }
  for (const table of tables.values()) checkMapping(table);
  return tables;
}

/** The key of a table in the map. */
export function tableKey(schema: string, table: string): string {
  return `${schema}.${table}`;
}

interface CatalogRow {
  schema_name: string;
  table_name: string;
  column_name: string;
  type: string;
  category: string;
  length: number | null;
  nullable: boolean;
  key_position: number | null;
}

const COLUMNS_OF_ALL_TABLES = `
  select n.nspname as schema_name, c.relname as table_name, a.attname as column_name,
         format_type(a.atttypid, null) as type, t.typcategory as category, not a.attnotnull as nullable,
         case when a.atttypid in ('varchar'::regtype, 'bpchar'::regtype) and a.atttypmod > 4 then a.atttypmod - 4 end as length,
         array_position(i.indkey::smallint[], a.attnum) as key_position
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_type t on t.oid = a.atttypid
    left join pg_index i on i.indrelid = c.oid and i.indisprimary
   where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')
   order by 1, 2, a.attnum`;

const CHARACTER_LOBS = ["text", "json", "jsonb", "xml", "tsvector", "tsquery", "path", "polygon", "hstore"];
/** pg_type.typcategory of arrays and of composite types. */
const LOB_CATEGORIES = ["A", "C"];

function columnOf(row: CatalogRow): SourceColumn {
  const character = CHARACTER_LOBS.includes(row.type) || LOB_CATEGORIES.includes(row.category);
  return {
    name: row.column_name,
    type: row.type,
    length: row.length ?? undefined,
    nullable: row.nullable,
    lob: row.type === "bytea" ? "binary" : character ? "character" : undefined,
  };
}

function checkMapping({ schema, name, columns, mapping }: SourceTable): void {
  if (!mapping) return;
  const named = [...mapping.excludeColumns];
  if (mapping.partitionKeyType === "attribute-name" && mapping.partitionKey !== undefined)
    named.push(mapping.partitionKey);
  const missing = named.find((column) => !columns.some((known) => known.name === column));
  if (missing !== undefined) {
    throw codedError(
      "CAPTURE_MAPPINGS_INVALID",
      `The object mapping of table "${schema}.${name}" names the column "${missing}", which the table does not have. ` +
        `It has ${columns.map((column) => column.name).join(", ")}`,
    );
  }
  if (mapping.partitionKey !== undefined && mapping.excludeColumns.includes(mapping.partitionKey)) {
    throw codedError(
      "CAPTURE_MAPPINGS_INVALID",
      `The object mapping of table "${schema}.${name}" excludes the column "${mapping.partitionKey}", which its partition key is made of`,
    );
  }
}
