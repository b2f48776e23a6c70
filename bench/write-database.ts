import { Kysely, PostgresDialect } from "kysely";
import { Client, escapeIdentifier, Pool } from "pg";
import { DatabaseSetup } from "pg-transactional-outbox";
import { prepareStatements } from "../runtime/postgres/prepared-statements";
import type { AnyDatabase } from "../runtime/postgres/statement";
import { startGuardian } from "../local/servers/run/guardian";
import { startPostgres } from "../local/servers/postgres/start-postgres";
import type { Report } from "../local/servers/report";
import { openRunDirectory } from "../local/servers/run/run-directory";
import { openStopStack } from "../local/servers/run/stop-stack";
import { sweepDeadRuns } from "../local/servers/run/clean-up";
import { prepareDatabase } from "../local/system/database";
import { moduleRole } from "../runtime/postgres/module-role";
import { loadDomainsFrom } from "../registry/load-domains";
import { FIXTURE_DOMAINS } from "../test/fixtures/source";

/** The entity table. */
export const MEMBERS = "members";
/** A schema with copies of the entity table and the outbox that have no triggers: neither guard nor checks. */
export const UNGUARDED = "unguarded";
/** The table that pg-transactional-outbox stores messages in, in the schema of the copies. */
export const LIBRARY_OUTBOX = "library_outbox";

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
  /** Whether to write to the copies in the schema UNGUARDED. @default false */
  unguarded?: boolean;
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
    await makeTables(database.adminUrl, moduleRole(database.name, MEMBERS));
    const { host, port, name, modules } = database;
    const login = modules[MEMBERS];
    return {
      host,
      port,
      connect: (options) =>
        connect(
          {
            host,
            port: options.port ?? port,
            database: name,
            user: login?.username ?? "",
            password: login?.password ?? "",
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

async function makeTables(adminUrl: string, role: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const to = escapeIdentifier(role);
    await client.query(`create schema ${UNGUARDED}; grant usage on schema ${UNGUARDED} to ${to}`);
    for (const table of [MEMBERS, "outbox"])
      await client.query(`create table ${UNGUARDED}.${table} (like public.${table} including all)`);
    const setup = {
      outboxOrInbox: "outbox" as const,
      database: "unused",
      schema: UNGUARDED,
      table: LIBRARY_OUTBOX,
      listenerRole: "monolith_capture",
    };
    await client.query(DatabaseSetup.dropAndCreateTable(setup));
    await client.query(`grant select, insert on all tables in schema ${UNGUARDED} to ${to}`);
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
  { connections, prepared, unguarded = false }: ConnectOptions,
): Connection {
  const pool = new Pool({
    ...login,
    max: connections,
    statement_timeout: STATEMENT_TIMEOUT_MILLISECONDS,
    ...(unguarded ? { options: `-c search_path=${UNGUARDED},public` } : {}),
  });
  // The next statement reports an idle connection that breaks.
  pool.on("error", () => {});
  if (prepared) prepareStatements(pool);
  const db = new Kysely<AnyDatabase>({ dialect: new PostgresDialect({ pool }) });
  return { db, pool, close: () => db.destroy() };
}
