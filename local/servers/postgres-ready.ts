import { Client } from "pg";
import { errorCode } from "../../runtime/function/coded-error";
import type { Child } from "./child";
import { postgresStartFailed } from "./postgres-cluster";
import { waitUntilReady } from "./wait-until-ready";

/** A PostgreSQL server that was started. */
export interface StartedPostgres {
  /** The superuser's URL. */
  url: string;
  port: number;
  log: string;
}

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
export function postgresReady(
  child: Pick<Child, "exit">,
  { url, port, log }: StartedPostgres,
): Promise<string> {
  const address = `port "${port}"`;
  let last: unknown;
  return waitUntilReady({
    name: "PostgreSQL",
    child,
    log,
    address,
    portTaken: /could not bind .*address.*in use/i,
    async probe() {
      try {
        return await versionOf(url);
      } catch (error) {
        const code = errorCode(error);
        if (code !== undefined && !NOT_YET.includes(code))
          throw postgresStartFailed(log, `PostgreSQL did not become ready on ${address}`, error);
        last = error;
        return undefined;
      }
    },
    failed: (what) => postgresStartFailed(log, what, last),
  });
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
