import { AsyncLocalStorage } from "node:async_hooks";
import { CompiledQuery, Kysely, PostgresDialect, type QueryResult } from "kysely";
import { escapeIdentifier } from "pg";
import type { Row, StagedKyselyChange } from "../define/change";
import type { ProjectionHandle } from "../define/handles";
import type { AnyProjection } from "../define/project";
import type { AnyTable } from "../define/table";
import { codedError, errorCode } from "../function/coded-error";
import type { Environment } from "../function/handler";
import { handlesMadeOnce, tableHandle, unraised, withSchemasMadeOnce } from "../store/handles";
import type { Store, StoreOpener } from "../store/store";
import { columnsOf, VERSION, withFieldNames } from "./columns";
import { commitToPostgres } from "./commit";
import type { Deadlines } from "./deadlines";
import { checkTexts, isRefusedValue, refusedValue } from "./errors";
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
      return {
        ...storeOn(db, openProjections?.(environment)),
        within: (milliseconds, work) => deadlines.run(Date.now() + milliseconds, work),
      };
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

/** Makes the handle of an entity table; `TableHandle` is its type as commands see it. */
export function postgresHandle(db: Kysely<AnyDatabase>, table: string, declared: AnyTable) {
  const columns = columnsOf(declared);
  const definition = withSchemasMadeOnce({ ...declared, columns: columns.all });
  const selected = [...Object.entries(columns.all), [VERSION, VERSION] as const]
    .map(([field, column]) => `${escapeIdentifier(column)} as ${escapeIdentifier(field)}`)
    .join(", ");
  const rowsWith = async (column: string, value: string): Promise<Row[]> => {
    const what = `The ${column} to find in "${table}"`;
    checkTexts(what, [value]);
    const text = `select ${selected} from ${escapeIdentifier(table)} where ${escapeIdentifier(column)} = $1`;
    try {
      const result: QueryResult<Row> = await db.executeQuery(CompiledQuery.raw(text, [value]));
      return result.rows;
    } catch (error) {
      if (!isRefusedValue(error)) throw error;
      throw refusedValue(what, `SQLSTATE ${errorCode(error)}`, error);
    }
  };
  return tableHandle(table, definition, {
    find: async (id) => (await rowsWith(columns.key, id))[0],
    where: (index, value) => rowsWith(columns.all[index] ?? index, value),
  });
}

/** Makes the handle of a table with Kysely's builders; `KyselyHandle` is its type as commands see it. */
export function kyselyHandle(db: Kysely<AnyDatabase>, table: string, declared: AnyTable) {
  const columns = columnsOf(declared);
  const named = withFieldNames(db, table, columns.all);
  const definition = withSchemasMadeOnce({ ...declared, columns: columns.all });
  return {
    ...postgresHandle(db, table, declared),
    select: () => named.selectFrom(table),
    change: (describe: StagedKyselyChange["describe"]) =>
      unraised({ table, definition, operation: "kysely", describe }),
  };
}
