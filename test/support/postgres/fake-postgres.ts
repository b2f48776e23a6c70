/**
 * A fake PostgreSQL for tests with very many runs: it answers like a server with one row per table, and
 * refuses what a server would.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import type { AnyDatabase } from "../../../runtime/postgres/statement";
import { type ProjectionOpener, storeOn } from "../../../runtime/postgres/store";
import type { Store } from "../../../runtime/store/store";

/** A store of the monolith on a fake database. */
export interface FakePostgres {
  store: Store;
  /** The changes that were written since the last call. */
  writes(): number;
}

const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Opens a store on a fake database.
 *
 * @param row found in every table by any of its values; named as columns, or as the fields of a table
 * @param projection makes the handle of a projection by its name. @default no projections
 */
export function fakePostgres(
  row: Record<string, unknown>,
  projection?: ReturnType<ProjectionOpener>,
): FakePostgres {
  let written = 0;
  const executeQuery = async ({ sql, parameters }: CompiledQuery): Promise<{ rows: unknown[] }> => {
    for (const parameter of parameters) refuse(parameter);
    if (!sql.startsWith("with changed as")) {
      const isFound = !sql.includes("outbox") && Object.values(row).includes(parameters[0]);
      return { rows: isFound ? [selected(sql, row)] : [] };
    }
    written += 1;
    return { rows: [{ aggregate_id: "id", aggregate_version: 1, state: null }] };
  };
  const connection: DatabaseConnection = {
    executeQuery: executeQuery as DatabaseConnection["executeQuery"],
    async *streamQuery() {},
  };
  const nothing = async () => undefined;
  const driver: Driver = {
    init: nothing,
    acquireConnection: async () => connection,
    beginTransaction: nothing,
    commitTransaction: nothing,
    rollbackTransaction: nothing,
    releaseConnection: nothing,
    destroy: nothing,
  };
  const db = new Kysely<AnyDatabase>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (of) => new PostgresIntrospector(of),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  return {
    // Nothing was committed before, because the fake keeps nothing.
    store: { ...storeOn(db, projection), committedRequest: () => Promise.resolve(undefined) },
    writes() {
      const writes = written;
      written = 0;
      return writes;
    },
  };
}

/** The row, as the statement selects it: with the names of its columns, or as JSON of its fields. */
function selected(sql: string, row: Record<string, unknown>): Record<string, unknown> {
  const read = [...sql.matchAll(/'(\w+)', (?:[\w.]+\(|case when )?entity\."(\w+)"/g)];
  if (read.length === 0) return row;
  const fields = Object.fromEntries(
    read.map(([, field = "", column = ""]) => [field, row[column] ?? row[field] ?? null]),
  );
  return { fields, version: row["version"] };
}

function refuse(parameter: unknown): void {
  if (typeof parameter === "number" && Math.abs(parameter) > MAX_INTEGER) throw sqlState("22003");
  if (typeof parameter === "string" && parameter.includes("\0")) throw sqlState("22021");
  // PostgreSQL would change it silently.
  if (typeof parameter === "string" && Buffer.from(parameter).toString() !== parameter)
    throw new Error("Half of a surrogate pair was sent: it would have become another character.");
}

function sqlState(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { code });
}
