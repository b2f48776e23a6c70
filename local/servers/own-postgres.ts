import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Client, escapeIdentifier } from "pg";
import type { CodedError } from "../../runtime/function/coded-error";
import { codedError } from "../../runtime/function/coded-error";
import type { Child } from "./child";
import { LOOPBACK, onFreePort } from "./free-port";
import { logTail } from "./log-tail";
import type { PostgresCluster } from "./postgres-cluster";
import { clusterUrl, createPostgresCluster, startClusterProgram } from "./postgres-cluster";
import { postgresReady } from "./postgres-ready";
import type { PostgresServer, ServerOptions } from "./postgres-server";
import { READY_POLL_MILLISECONDS, READY_TIMEOUT_MILLISECONDS } from "./wait-until-ready";

const NAME = "PostgreSQL";

/** Like RDS where it matters (UTC, scram, logical decoding, durable commits); room for many slots, walsenders and functions. */
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
};

/** Immediate shutdown: nothing is written any more, but the shared memory is given back, unlike after SIGKILL. */
const SHUT_DOWN_AT_ONCE = "SIGQUIT";
/** Ends connections, then writes everything down. */
const SHUT_DOWN_FAST = "SIGINT";

/** Starts a PostgreSQL server of the run's own (see `startPostgres`). */
export async function startOwnPostgres({ run }: ServerOptions): Promise<PostgresServer> {
  const cluster = await createPostgresCluster(run);
  const started = await onFreePort("DOMAINS_POSTGRES_PORT", NAME, (port) => startServer(cluster, port));
  const { port, version } = started;
  let child = started.child;
  let stopped = false;
  let reportDeath: (error: CodedError) => void;
  const died = new Promise<CodedError>((resolve) => (reportDeath = resolve));
  const watch = (watched: Child): void => {
    void watched.exited.then((exit) => {
      if (stopped || run.closing.aborted || child !== watched) return;
      reportDeath(
        codedError(
          "POSTGRES_DIED",
          `PostgreSQL ended unexpectedly (${exit}). The end of "${cluster.log}":${logTail(cluster.log)}`,
        ),
      );
    });
  };
  watch(child);
  const adminUrl = (database = "postgres"): string => clusterUrl(cluster, port, database);
  return {
    host: LOOPBACK,
    port,
    version,
    external: false,
    get pid() {
      return child.pid;
    },
    log: cluster.log,
    adminUrl,
    died,
    async createDatabase(name) {
      const client = new Client({ connectionString: adminUrl() });
      await client.connect();
      try {
        await client.query(`create database ${escapeIdentifier(name)}`);
      } finally {
        await client.end();
      }
      return name;
    },
    async restart(how = "in order") {
      const before = child;
      stopped = true;
      await before.stop(how === "kill" ? "SIGKILL" : SHUT_DOWN_FAST);
      ({ child } = await startServerAgain(cluster, port));
      stopped = false;
      watch(child);
    },
    async stop() {
      stopped = true;
      await child.stop();
      await rm(cluster.folder, { recursive: true, force: true, maxRetries: 5 });
      run.update(({ dataFolders }) => ({
        dataFolders: dataFolders.filter((folder) => folder !== cluster.folder),
      }));
    },
  };
}

/** What a killed server's processes, which end on their own when they miss it, hold until then. */
const HELD = /pre-existing shared memory block .* is still in use/;

async function startServerAgain(cluster: PostgresCluster, port: number): ReturnType<typeof startServer> {
  const deadline = performance.now() + READY_TIMEOUT_MILLISECONDS;
  for (;;) {
    try {
      return await startServer(cluster, port);
    } catch (error) {
      if (!HELD.test(logTail(cluster.log)) || performance.now() > deadline) throw error;
    }
    await delay(READY_POLL_MILLISECONDS);
  }
}

async function startServer(
  cluster: PostgresCluster,
  port: number,
): Promise<{ child: Child; port: number; version: string }> {
  const settings = Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  const child = await startClusterProgram(
    cluster,
    NAME,
    cluster.binaries.postgres,
    ["-D", cluster.data, ...settings],
    SHUT_DOWN_AT_ONCE,
  );
  try {
    const started = { url: clusterUrl(cluster, port, "postgres"), port, log: cluster.log };
    return { child, port, version: await postgresReady(child, started) };
  } catch (error) {
    await child.stop();
    throw error;
  }
}
