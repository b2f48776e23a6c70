/** PostgreSQL in name only, for tests of very many runs: it answers like a server with one row a table, and refuses what one would. */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import type { AnyPostgresTable } from "../../runtime/define/table";
import { withSchemasMadeOnce } from "../../runtime/store/made-once";
import { commitToPostgres } from "../../runtime/postgres/commit";
import { postgresHandle } from "../../runtime/postgres/handle";
import type { AnyDatabase } from "../../runtime/postgres/statement";
import type { Store } from "../../runtime/store/store";
import { handlesOnce } from "../../runtime/store/handles-once";

/** A store of the monolith whose database is fake. */
export interface FakePostgres {
  store: Store;
  /** Changes that were written, since the last call. */
  writes(): number;
}

const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Opens such a store.
 *
 * @param row what `find` finds, whatever the table, if it is asked for one of the row's values
 */
export function fakePostgres(row: Record<string, unknown>): FakePostgres {
  let written = 0;
  const executeQuery = async ({ sql, parameters }: CompiledQuery): Promise<{ rows: unknown[] }> => {
    for (const parameter of parameters) refuse(parameter);
    if (!sql.startsWith("with changed as")) {
      return { rows: sql.includes("outbox") ? [] : Object.values(row).includes(parameters[0]) ? [row] : [] };
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
    store: {
      // As runtime/postgres/store.ts opens them.
      handles: handlesOnce((name, table: AnyPostgresTable) =>
        postgresHandle(db, name, withSchemasMadeOnce(table)),
      ),
      commit: (changes, context) => commitToPostgres(db, changes, context),
      // Nothing was committed before: what is written is not kept.
      committedRequest: () => Promise.resolve(undefined),
    },
    writes() {
      const writes = written;
      written = 0;
      return writes;
    },
  };
}

function refuse(parameter: unknown): void {
  if (typeof parameter === "number" && Math.abs(parameter) > MAX_INTEGER) throw sqlState("22003");
  if (typeof parameter === "string" && parameter.includes("\0")) throw sqlState("22021");
  // As for PostgreSQL, only that nobody would notice there.
  if (typeof parameter === "string" && Buffer.from(parameter).toString() !== parameter)
    throw new Error("Half of a surrogate pair came through: it would have become another character.");
}

function sqlState(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { code });
}
