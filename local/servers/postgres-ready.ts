import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { codedError, errorCode } from "../../runtime/coded-error";
import type { Child } from "./child";
import { logTail } from "./log-tail";
import { postgresStartFailed } from "./postgres-cluster";

/** A PostgreSQL server that was started. */
export interface StartedPostgres {
  /** The superuser's URL. */
  url: string;
  port: number;
  log: string;
}

const READY_TIMEOUT_MILLISECONDS = 30_000;
const POLL_MILLISECONDS = 25;
/**
 * Nobody listens yet, the server is starting up, or a refused password: a server of somebody else is on the port, and ours will end by
 * itself in a moment.
 */
const NOT_YET = ["ECONNREFUSED", "ECONNRESET", "57P03", "28P01"];

/**
 * Waits until a PostgreSQL server takes connections. A time-out and a connection that broke off have no error code: a busy machine, or
 * a server that recovers; it is tried again.
 *
 * @returns its version
 * @throws POSTGRES_START_FAILED, PORT_TAKEN
 */
export async function waitUntilReady(
  child: Pick<Child, "exit">,
  { url, port, log }: StartedPostgres,
): Promise<string> {
  const deadline = performance.now() + READY_TIMEOUT_MILLISECONDS;
  for (;;) {
    const exit = child.exit();
    if (exit !== undefined) {
      const taken = /could not bind .*address.*in use/i.test(logTail(log));
      if (taken)
        throw codedError(
          "PORT_TAKEN",
          `PostgreSQL cannot listen on port "${port}": another process took it. Start again`,
        );
      throw postgresStartFailed(log, `PostgreSQL ended while starting (${exit})`);
    }
    try {
      return await versionOf(url);
    } catch (error) {
      const code = errorCode(error);
      const waiting = code === undefined || NOT_YET.includes(code);
      if (!waiting || performance.now() > deadline) {
        throw postgresStartFailed(log, `PostgreSQL did not become ready on port "${port}"`, error);
      }
    }
    await delay(POLL_MILLISECONDS);
  }
}

async function versionOf(connectionString: string): Promise<string> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>("show server_version");
    return rows[0]?.server_version ?? "unknown";
  } finally {
    // Also where connecting failed: the socket may be half open.
    await client.end().catch(() => undefined);
  }
}
