import type { ClientBase } from "pg";
import type { AnyDomain } from "../define/domain";
import type { Field } from "../define/fields";
import { fieldsOf } from "../store/fields";
import type { AnyTable } from "../define/table";
import { codedError } from "../function/coded-error";
import { columnsOf } from "./columns";
import { jsonOf } from "./json";

/** Runs a query; a connection of pg or of Kysely's pool. */
export type Query = (text: string, values: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>;

/** A table of a module, by the name that it is registered by. */
export interface ModuleTable {
  domain: string;
  name: string;
  definition: AnyTable;
}

/** The tables of the monolith's modules. */
export function moduleTables(domains: readonly AnyDomain[]): ModuleTable[] {
  return domains.flatMap(({ kind, name: domain, tables }) =>
    kind === "monolith-module"
      ? Object.entries(tables).map(([name, definition]) => ({ domain, name, definition }))
      : [],
  );
}

/**
 * Registers the contracts of the modules' tables in the database: from then on, it accepts only events that say
 * what the contract says of the row (framework migration 0007).
 *
 * @throws TABLES_DIFFER
 */
export async function registerContracts(client: ClientBase, tables: readonly ModuleTable[]): Promise<void> {
  await checkTables((text, values) => client.query(text, values), tables);
  for (const { definition } of tables) {
    const { aggregate } = definition;
    const events = Object.entries(aggregate.events).map(([type, { version }]) => [type, version] as const);
    await client.query("select register_contract($1, $2, $3)", [
      aggregate.name,
      JSON.stringify(Object.fromEntries(events)),
      jsonOf(fieldsOf(aggregate.state()), columnsOf(definition).public, "entity"),
    ]);
  }
  await client.query("select generate_outbox_check()");
}

/** A column as the catalog describes it; a domain type counts as its base. */
interface CatalogColumn {
  type: string;
  precision: number | null;
  scale: number | null;
  isEnum: boolean;
  notNull: boolean;
}

/**
 * Compares the modules' tables with the database: table, columns, types, key, version and guard.
 *
 * @throws TABLES_DIFFER, which lists every difference with its remedy
 */
export async function checkTables(query: Query, tables: readonly ModuleTable[]): Promise<void> {
  if (tables.length === 0) return;
  const { rows } = await query(CATALOG, [tables.map(({ name }) => name)]);
  const found = new Map(rows.map((row) => [row["name"], row as unknown as CatalogTable]));
  const differences = tables.flatMap((table) => {
    const what = `table "${table.name}" (${table.domain})`;
    return differencesOf(table, found.get(table.name)).map((difference) => `- ${what}: ${difference}`);
  });
  if (differences.length === 0) return;
  throw codedError(
    "TABLES_DIFFER",
    `The database does not have the tables that the domains register. Add a migration, and run: npm run migrate\n${differences.join("\n")}`,
  );
}

interface CatalogTable {
  columns: Record<string, CatalogColumn> | null;
  /** The aggregate whose changes the guard of the table checks. */
  aggregate: string | null;
  problem: string | null;
  disabled: string | null;
}

const CATALOG = `
  select name, guarded.aggregate,
    (select json_object_agg(attname, json_build_object(
        'type', coalesce(base.oid, atttypid)::regtype::text,
        'precision', case when mods.typmod > 0 and coalesce(base.oid, atttypid) = 'numeric'::regtype then ((mods.typmod - 4) >> 16) & 65535 end,
        'scale', case when mods.typmod > 0 and coalesce(base.oid, atttypid) = 'numeric'::regtype then (mods.typmod - 4) & 2047 end,
        'isEnum', coalesce(base.typtype, declared.typtype) = 'e',
        'notNull', attnotnull or declared.typnotnull))
       from pg_attribute
       join pg_type as declared on declared.oid = atttypid
       left join pg_type as base on declared.typtype = 'd' and base.oid = declared.typbasetype
       cross join lateral (select case when declared.typtype = 'd' then declared.typtypmod else atttypmod end as typmod) as mods
      where attrelid = relation and attnum > 0 and not attisdropped) as columns,
    case when relation is not null then public.guard_problem(relation, guarded.key_name) end as problem,
    (select string_agg(tgname, ', ' order by tgname) from pg_trigger where tgrelid = relation and tgname like 'guard\\_%' and tgenabled <> 'A') as disabled
  from unnest($1::text[]) as names (name)
  cross join lateral (select to_regclass(format('public.%I', name))) as relations (relation)
  left join public.guarded_tables as guarded on guarded.entity = relation`;

function differencesOf({ name, definition }: ModuleTable, found: CatalogTable | undefined): string[] {
  const { aggregate } = definition;
  const columns = columnsOf(definition);
  if (!found?.columns) return [`there is no table public.${name}. Create it.`];
  const fields = { ...fieldsOf(aggregate.state()), ...fieldsOf(definition.private()) };
  const differences = Object.entries(fields).flatMap(([field, described]) => {
    const column = columns.all[field] ?? field;
    const there = found.columns?.[column];
    const problem = there
      ? columnProblem(described, there)
      : "there is no such column. Add it, or map the field under `columns`";
    return problem ? [`column "${column}" (field "${field}"): ${problem}.`] : [];
  });
  if (!found.aggregate) {
    const call = `select guard_entity_table('${name}', '${aggregate.name}', '${columns.key}')`;
    return [
      ...differences,
      `it is not guarded, so a change could be committed without its event. Let its migration run: ${call}`,
    ];
  }
  if (found.aggregate !== aggregate.name)
    differences.push(
      `its guard is that of "${found.aggregate}", not of "${aggregate.name}". Guard it again for its aggregate.`,
    );
  if (found.problem) differences.push(`it ${found.problem}.`);
  if (found.disabled)
    differences.push(`its triggers are switched off: ${found.disabled}. Enable them always.`);
  return differences;
}

/** Types of columns that hold each kind of field exactly; docs/fields.md lists them. */
const COLUMN_TYPES: Readonly<Record<Field["kind"], readonly string[]>> = {
  text: ["text", "character varying", "uuid", "smallint", "integer", "bigint", "numeric"],
  uuid: ["uuid", "text", "character varying"],
  datetime: ["timestamp with time zone", "text", "character varying"],
  date: ["date", "text", "character varying"],
  integer: ["smallint", "integer", "bigint", "numeric"],
  number: ["double precision", "smallint", "integer", "bigint", "numeric"],
  boolean: ["boolean"],
  json: ["jsonb"],
};
/** Decimal digits that every double holds exactly. */
const EXACT_DIGITS = 15;

function columnProblem({ kind, isOptional, isNullable }: Field, column: CatalogColumn): string | undefined {
  const { type, precision, scale, isEnum, notNull } = column;
  const wanted = COLUMN_TYPES[kind];
  if (!(wanted.includes(type) || (kind === "text" && isEnum)))
    return `its type ${type} does not hold a field of kind "${kind}" exactly. Use ${wanted.join(", ")}`;
  if (type === "numeric" && (kind === "number" || kind === "integer")) {
    if (precision === null || precision > EXACT_DIGITS)
      return `a numeric of ${precision ?? "any"} digits does not fit a number. Use numeric(${EXACT_DIGITS}, ...) at most, or z.string()`;
    if (kind === "integer" && scale !== 0)
      return "it has decimals, but the field is a whole number. Use z.number()";
  }
  if (!notNull && !isOptional && !isNullable)
    return "it can be null, but the field cannot. Make it not null, or the field optional or nullable";
  return undefined;
}
