import { Client, escapeIdentifier } from "pg";
import { codedError } from "../../../runtime/function/coded-error";
import { dropRunDatabase } from "../run/clean-up";
import { startOwnPostgres } from "./own-postgres";
import type { PostgresOptions, PostgresServer } from "./postgres";

/** Up to 14 every role may create tables in the schema public, so grants that are missing would not show. */
const OLDEST_MAJOR = 16;
const CONNECT_TIMEOUT_MILLISECONDS = 5_000;
/** PostgreSQL cuts longer names off. */
const MAX_NAME_LENGTH = 63;

/**
 * Starts PostgreSQL 17 for this run, on 127.0.0.1 and a free port (`DOMAINS_POSTGRES_PORT` fixes it), or uses the
 * server that `DATABASE_URL` names.
 *
 * @throws POSTGRES_UNAVAILABLE (no binaries for this platform, or they cannot run here), POSTGRES_USER_MISSING,
 *   POSTGRES_START_FAILED, PORT_TAKEN, PORT_INVALID; with DATABASE_URL: DATABASE_URL_INVALID,
 *   DATABASE_UNREACHABLE, DATABASE_TOO_OLD, DATABASE_WITHOUT_LOGICAL_DECODING, DATABASE_NOT_PERMITTED
 */
export function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const given = process.env["DATABASE_URL"];
  return given ? useGivenPostgres(given, options) : startOwnPostgres(options);
}

async function useGivenPostgres(text: string, { run, report }: PostgresOptions): Promise<PostgresServer> {
  const url = parseUrl(text);
  const port = Number(url.port || "5432");
  const place = `${url.hostname}:${port}`;
  const facts = await connected(text, place, readFacts);
  checkGivenPostgres(facts, place);
  report(
    `Using PostgreSQL ${facts.version} at ${place} (DATABASE_URL); the run gets databases of its own there and drops them at its end`,
  );
  const adminUrl = (database?: string): string => {
    const other = new URL(url);
    if (database !== undefined) other.pathname = `/${encodeURIComponent(database)}`;
    return other.href;
  };
  return {
    host: url.hostname,
    port,
    version: facts.version,
    external: true,
    pid: undefined,
    adminUrl,
    // The run does not watch it: if it goes away, those who use it report errors.
    died: new Promise(() => undefined),
    async createDatabase(name) {
      const suffix = `_${run.id.replaceAll("-", "_")}`;
      const unique = name.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix;
      run.closing.throwIfAborted();
      // On record before it exists: a database without a record would stay for ever.
      run.update(({ databases }) => ({ databases: [...databases, { name: unique, adminUrl: adminUrl() }] }));
      await connected(text, place, (client) => client.query(createDatabase(unique)));
      return unique;
    },
    async restart() {
      throw codedError(
        "DATABASE_NOT_OURS",
        `The PostgreSQL server at ${place} is not the run's own: unset DATABASE_URL to restart one`,
      );
    },
    async stop() {
      for (const dropped of run.record.databases) {
        await dropRunDatabase(dropped);
        run.update(({ databases }) => ({ databases: databases.filter(({ name }) => name !== dropped.name) }));
      }
    },
  };
}

/** In UTF-8, whatever the server's default is: anything else is refused by the migrations. */
function createDatabase(name: string): string {
  return `create database ${escapeIdentifier(name)} template template0 encoding 'UTF8' locale_provider libc locale 'C'`;
}

function parseUrl(text: string): URL {
  if (URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol)) return new URL(text);
  // The text is not repeated, since it may hold a password.
  throw codedError(
    "DATABASE_URL_INVALID",
    "DATABASE_URL is not a PostgreSQL URL. Use postgresql://user:password@host:port/database, or unset it to have a server started",
  );
}

/** What decides whether a server can be used. */
export interface ServerFacts {
  version: string;
  version_number: number;
  wal_level: string;
  may_create: boolean;
  may_replicate: boolean;
  user: string;
}

async function readFacts(client: Client): Promise<ServerFacts> {
  const { rows } = await client.query<ServerFacts>(
    `select current_setting('server_version') as version,
            current_setting('server_version_num')::int as version_number,
            current_setting('wal_level') as wal_level,
            rolname as user,
            rolsuper or (rolcreatedb and rolcreaterole) as may_create,
            rolsuper or rolreplication as may_replicate
       from pg_roles where rolname = current_user`,
  );
  // A connection's own role is always in pg_roles.
  return rows[0] as ServerFacts;
}

/** Refuses a server that cannot be used, with the remedy. `place` is its host and port. */
export function checkGivenPostgres(facts: ServerFacts, place: string): void {
  const otherwise = "or unset DATABASE_URL to have a server started";
  if (facts.version_number < OLDEST_MAJOR * 10_000)
    throw codedError(
      "DATABASE_TOO_OLD",
      `PostgreSQL at ${place} is "${facts.version}"; use ${OLDEST_MAJOR} or newer, ${otherwise}`,
    );
  if (facts.wal_level !== "logical")
    throw codedError(
      "DATABASE_WITHOUT_LOGICAL_DECODING",
      `PostgreSQL at ${place} has wal_level "${facts.wal_level}", and change data capture needs "logical". ` +
        `Run: alter system set wal_level = 'logical'; then restart the server; ${otherwise}`,
    );
  if (!facts.may_create || !facts.may_replicate)
    throw codedError(
      "DATABASE_NOT_PERMITTED",
      `Role "${facts.user}" of PostgreSQL at ${place} may not create databases, roles and replication slots. ` +
        `Run as a superuser: alter role ${escapeIdentifier(facts.user)} createdb createrole replication; ${otherwise}`,
    );
}

async function connected<T>(
  connectionString: string,
  place: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS });
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw codedError(
      "DATABASE_UNREACHABLE",
      `Cannot connect to PostgreSQL at ${place} (DATABASE_URL): ${error instanceof Error ? error.message : String(error)}. ` +
        `Start it, correct DATABASE_URL, or unset it to have a server started`,
      { cause: error },
    );
  }
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
