import { Kysely, PostgresDialect } from "kysely";
import { Client, Pool } from "pg";
import { prepareStatements } from "../runtime/postgres/prepared-statements";
import type { AnyDatabase } from "../runtime/postgres/statement";
import { startGuardian } from "../local/servers/run/guardian";
import { startPostgres } from "../local/servers/postgres/start-postgres";
import type { Report } from "../local/servers/report";
import { openRunDirectory } from "../local/servers/run/run-directory";
import { openStopStack } from "../local/servers/run/stop-stack";
import { sweepDeadRuns } from "../local/servers/run/clean-up";
import { prepareDatabase } from "../local/system/database";
import { loadDomainsFrom } from "../registry/load-domains";
import { FIXTURE_DOMAINS } from "../test/fixtures/source";

/** The guarded entity table; the other two are copies without the guard. */
export const GUARDED = "members";
/** Written with events, without the guard. */
export const UNGUARDED = "members_unguarded";
/** Written without events. */
export const PLAIN = "members_plain";

/** The migrated PostgreSQL server of the bench. */
export interface WriteDatabase {
  host: string;
  port: number;
  /** Connects as the application does, with the settings of the runtime's pool. */
  connect(options: ConnectOptions): Connection;
  stop(): Promise<void>;
}

export interface ConnectOptions {
  connections: number;
  /** Whether to prepare statements, as the runtime does. */
  prepared: boolean;
  /** Port of a proxy in front of the server. @default the server's port */
  port?: number;
}

export interface Connection {
  db: Kysely<AnyDatabase>;
  pool: Pool;
  close(): Promise<void>;
}

/** As in runtime/postgres/pool.ts. */
const STATEMENT_TIMEOUT_MILLISECONDS = 10_000;

/** Starts PostgreSQL as a local run does, with the tables to compare. */
export async function openWriteDatabase(projectRoot: string, report: Report): Promise<WriteDatabase> {
  await sweepDeadRuns(projectRoot, report);
  const run = await openRunDirectory(projectRoot);
  const stops = openStopStack({ report });
  const guardian = startGuardian(run);
  stops.push("the guardian", () => guardian.dismiss());
  stops.push("the run", () => run.close());
  try {
    const postgres = await startPostgres({ run, report });
    stops.push("PostgreSQL", () => postgres.stop());
    const database = await prepareDatabase(
      postgres,
      FIXTURE_DOMAINS.migrations,
      loadDomainsFrom(FIXTURE_DOMAINS.domains).all,
    );
    stops.push("the database's logins", () => database.close());
    await makeTables(database.adminUrl);
    const { host, port, name, application } = database;
    return {
      host,
      port,
      connect: (options) =>
        connect(
          {
            host,
            port: options.port ?? port,
            database: name,
            user: application.username,
            password: application.password,
          },
          options,
        ),
      stop: () => stops.stopAll(),
    };
  } catch (error) {
    await stops.stopAll();
    throw error;
  }
}

async function makeTables(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    for (const table of [UNGUARDED, PLAIN]) {
      await client.query(`create table ${table} (like ${GUARDED} including all)`);
      await client.query(`grant select, insert, update, delete on ${table} to monolith_application`);
    }
    // Nobody reads the slot here, and it would make the server retain its log.
    await client.query(
      "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()",
    );
  } finally {
    await client.end();
  }
}

function connect(
  login: { host: string; port: number; database: string; user: string; password: string },
  { connections, prepared }: ConnectOptions,
): Connection {
  const pool = new Pool({ ...login, max: connections, statement_timeout: STATEMENT_TIMEOUT_MILLISECONDS });
  // The next statement reports an idle connection that breaks.
  pool.on("error", () => {});
  if (prepared) prepareStatements(pool);
  const db = new Kysely<AnyDatabase>({ dialect: new PostgresDialect({ pool }) });
  return { db, pool, close: () => db.destroy() };
}
