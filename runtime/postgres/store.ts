import { AsyncLocalStorage } from "node:async_hooks";
import { CompiledQuery, Kysely, PostgresDialect, type QueryResult } from "kysely";
import { escapeIdentifier } from "pg";
import type { Row, StagedKyselyChange } from "../define/change";
import type { ProjectionHandle } from "../define/handles";
import type { AnyProjection } from "../define/project";
import type { AnyTable } from "../define/table";
import { isText } from "../envelope/portable-data";
import { codedError, errorCode } from "../function/coded-error";
import { withoutValues } from "../function/private-values";
import type { Environment } from "../function/handler";
import { isRefusedSqlstate } from "../store/refused-values";
import { handlesMadeOnce, tableHandle, unraised, withSchemasMadeOnce } from "../store/handles";
import type { Store, StoreOpener } from "../store/store";
import { columnsOf, VERSION, withFieldNames } from "./columns";
import { commitToPostgres } from "./commit";
import { checkTables } from "./contracts";
import type { Deadlines } from "./deadlines";
import { jsonOf } from "./json";
import { readCommittedRequest } from "./inbox";
import { openPool, POOL_VARIABLES, type PoolVariable } from "./pool";
import type { AnyDatabase } from "./statement";

/** Makes the handle of a projection by the name that it is registered by. */
export type ProjectionOpener = (
  environment: Environment<"PROJECTION_TABLES">,
) => (name: string, projection: AnyProjection) => ProjectionHandle<Record<string, unknown>>;

/**
 * Opens the monolith's database.
 *
 * @param openProjections passed where the module has projections: they are in DynamoDB, whose client is
 *   packaged only then
 */
export function postgresStore(
  openProjections?: ProjectionOpener,
): StoreOpener<PoolVariable | "PROJECTION_TABLES"> {
  return {
    variables: [...POOL_VARIABLES, "PROJECTION_TABLES"],
    open(environment) {
      const deadlines: Deadlines = new AsyncLocalStorage();
      const pool = () => openPool(environment, deadlines);
      const db = new Kysely<AnyDatabase>({ dialect: new PostgresDialect({ pool }) });
      const within: Store["within"] = (milliseconds, work) => deadlines.run(Date.now() + milliseconds, work);
      return { ...comparingTables(storeOn(db, openProjections?.(environment)), db), within };
    },
  };
}

/**
 * Compares the tables that a function changes with the database, once, before its first commit: nothing is written
 * to tables that differ from what the domain registers.
 */
function comparingTables(store: Store, db: Kysely<AnyDatabase>): Store {
  const compared = new Map<string, Promise<void>>();
  const compare = (name: string, definition: AnyTable): Promise<void> => {
    const known = compared.get(name);
    if (known) return known;
    const { domain } = definition.aggregate;
    const comparison = checkTables(
      (text, values) => db.executeQuery(CompiledQuery.raw(text, values)),
      [{ domain, name, definition }],
    );
    compared.set(name, comparison);
    // The next invocation compares again, after a migration perhaps.
    comparison.catch(() => compared.delete(name));
    return comparison;
  };
  return {
    ...store,
    async commit(changes, context) {
      for (const { table, definition } of changes) await compare(table, definition);
      return store.commit(changes, context);
    },
  };
}

/**
 * Makes the store of a function on an open database.
 *
 * @param projection makes the handle of a projection by its name; passed where the module has projections
 */
export function storeOn(db: Kysely<AnyDatabase>, projection?: ReturnType<ProjectionOpener>): Store {
  const handles = handlesMadeOnce((name, used) => {
    if (used.kind === "table") return postgresHandle(db, name, used);
    if (used.kind === "kysely-table") return kyselyHandle(db, name, used.table);
    if (projection) return projection(name, used);
    throw codedError("PROJECTION_UNKNOWN", `"${name}" is used but the module registers no such projection.`);
  });
  return {
    handles,
    commit: (changes, context) => commitToPostgres(db, changes, context),
    committedRequest: (once) => readCommittedRequest(db, once),
  };
}

interface ReadRow {
  fields: Row;
  version: number;
}

/** Makes the handle of an entity table; `TableHandle` is its type as commands see it. */
export function postgresHandle(db: Kysely<AnyDatabase>, table: string, declared: AnyTable) {
  const columns = columnsOf(declared);
  const definition = withSchemasMadeOnce({ ...declared, columns: columns.all });
  const selected = `${jsonOf(definition.fields.all, columns.all, "entity")} as fields, ${VERSION}`;
  // A value that the column cannot hold is in no row.
  const rowsWith = async (column: string, value: string): Promise<Row[]> => {
    if (!isText(value)) return [];
    const text = `select ${selected} from ${escapeIdentifier(table)} as entity where ${escapeIdentifier(column)} = $1`;
    try {
      const result: QueryResult<ReadRow> = await db.executeQuery(CompiledQuery.raw(text, [value]));
      return result.rows.map(({ fields, version }) => ({ ...fields, version }));
    } catch (error) {
      if (isRefusedSqlstate(errorCode(error) ?? "")) return [];
      throw withoutValues(error);
    }
  };
  return tableHandle(table, definition, {
    async find(id) {
      const [row] = await rowsWith(columns.key, id);
      // PostgreSQL also finds another spelling of the key, e.g. "007" in a column of integers.
      return row?.[definition.aggregate.key] === id ? row : undefined;
    },
    where: (index, value) => rowsWith(columns.all[index] ?? index, value),
  });
}

/** Makes the handle of a table with Kysely's builders; `KyselyHandle` is its type as commands see it. */
export function kyselyHandle(db: Kysely<AnyDatabase>, table: string, declared: AnyTable) {
  const columns = columnsOf(declared);
  const definition = withSchemasMadeOnce({ ...declared, columns: columns.all });
  const named = withFieldNames(db, table, columns.all, definition.fields.all);
  return {
    ...postgresHandle(db, table, declared),
    select: () => named.selectFrom(table),
    change: (describe: StagedKyselyChange["describe"]) =>
      unraised({ table, definition, operation: "kysely", describe }),
  };
}
