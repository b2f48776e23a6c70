import { rm } from "node:fs/promises";
import { Client, escapeIdentifier } from "pg";
import { errorCode } from "../../../runtime/function/coded-error";
import { LOOPBACK, startOwnServer } from "../run/own-server";
import { clusterUrl, createPostgresCluster, postgresStartFailed, startClusterProgram } from "./cluster";
import type { PostgresOptions, PostgresServer } from "./postgres";

const NAME = "PostgreSQL";
const CONNECT_TIMEOUT_MILLISECONDS = 5_000;

/**
 * Like RDS where it matters (UTC, scram, logical decoding, durable commits); room for many slots, walsenders and
 * functions.
 */
const SETTINGS = {
  listen_addresses: LOOPBACK,
  // No socket file: it would lie in /tmp, and its path may be too long elsewhere.
  unix_socket_directories: "",
  wal_level: "logical",
  max_replication_slots: 50,
  max_wal_senders: 50,
  max_connections: 200,
  fsync: "on",
  synchronous_commit: "on",
  timezone: "UTC",
  log_timezone: "UTC",
  // Errors of statements quote values and rows; whoever sent the statement receives them.
  log_min_messages: "log",
};

/** Immediate shutdown: nothing is written any more, but the shared memory is released, unlike after SIGKILL. */
const SHUT_DOWN_AT_ONCE = "SIGQUIT";
/** Ends connections, then writes everything down. */
const SHUT_DOWN_FAST = "SIGINT";
/** A killed server's processes hold its memory until they notice that it is gone, and end. */
const HELD = /pre-existing shared memory block .* is still in use/;
/**
 * Nobody listens yet, the server is starting up, or a refused password: somebody else's server is on the port, and
 * ours will end in a moment.
 */
const NOT_YET = ["ECONNREFUSED", "ECONNRESET", "57P03", "28P01"];

/** Starts a PostgreSQL server of the run's own (see `startPostgres`). */
export async function startOwnPostgres({ run }: PostgresOptions): Promise<PostgresServer> {
  const cluster = await createPostgresCluster(run);
  const { log, folder, data } = cluster;
  const server = await startOwnServer({
    run,
    name: NAME,
    portVariable: "DOMAINS_POSTGRES_PORT",
    log,
    diedCode: "POSTGRES_DIED",
    portTaken: /could not bind .*address.*in use/i,
    start(port) {
      const settings = Object.entries({ ...SETTINGS, port }).map(([name, value]) => `--${name}=${value}`);
      return startClusterProgram(cluster, NAME, "postgres", ["-D", data, ...settings], SHUT_DOWN_AT_ONCE);
    },
    async probe(port) {
      try {
        return await probePostgres(clusterUrl(cluster, port, "postgres"));
      } catch (error) {
        throw postgresStartFailed(log, `PostgreSQL did not become ready on port "${port}"`, error);
      }
    },
    failed: (what) => postgresStartFailed(log, what),
  });
  const { port } = server;
  const adminUrl = (database = "postgres"): string => clusterUrl(cluster, port, database);
  return {
    host: LOOPBACK,
    port,
    version: server.found,
    external: false,
    get pid() {
      return server.pid;
    },
    adminUrl,
    died: server.died,
    async createDatabase(name) {
      await query(adminUrl(), `create database ${escapeIdentifier(name)}`);
      return name;
    },
    restart: (how = "in order") =>
      server.restart({ signal: how === "kill" ? "SIGKILL" : SHUT_DOWN_FAST, retryOn: HELD }),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      run.update(({ dataFolders }) => ({ dataFolders: dataFolders.filter((path) => path !== folder) }));
    },
  };
}

/**
 * The version of a server that takes connections, undefined if it does not yet. A time-out and a connection that
 * broke off have no error code: the machine is busy, or the server recovers.
 *
 * @throws an error that waiting does not cure
 */
export async function probePostgres(url: string): Promise<string | undefined> {
  try {
    const [row] = await query<{ server_version: string }>(url, "show server_version");
    return row?.server_version;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || NOT_YET.includes(code)) return undefined;
    throw error;
  }
}

async function query<Row extends object>(connectionString: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return (await client.query<Row>(text)).rows;
  } finally {
    // Also where connecting failed: the socket may be half open.
    await client.end().catch(() => undefined);
  }
}
