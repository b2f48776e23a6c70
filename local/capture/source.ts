import { type ClientConfig, Pool } from "pg";
import { codedError, errorCode } from "../../runtime/function/coded-error";
import type { DatabaseSecret } from "./dms-inputs";
import type { CaptureSettings } from "./settings";

/**
 * Opens the source database for ordinary statements, with the login of the endpoint's secret.
 *
 * @throws CAPTURE_SECRET_INVALID, CAPTURE_SOURCE_UNREACHABLE
 */
export async function openSource(settings: CaptureSettings, secret: DatabaseSecret): Promise<Pool> {
  const missing = (["username", "password", "host", "port"] as const).filter((field) => !secret[field]);
  if (missing.length > 0) {
    throw codedError(
      "CAPTURE_SECRET_INVALID",
      `The secret "${settings.secretArn}" of the source endpoint has no ${missing.join(", ")}: DMS needs username, password, host and port`,
    );
  }
  const pool = new Pool({
    ...connectionOf(settings, secret),
    application_name: `domain-consistency capture ${settings.taskId}`,
    max: 2,
    statement_timeout: settings.executeTimeout,
  });
  // A broken idle connection is replaced at the next query.
  pool.on("error", () => {});
  try {
    await pool.query("select 1");
    return pool;
  } catch (cause) {
    await pool.end();
    throw codedError(
      "CAPTURE_SOURCE_UNREACHABLE",
      `Cannot connect to database "${settings.database}" at ${secret.host}:${secret.port} as "${secret.username}", the login of the source ` +
        `endpoint's secret: ${(cause as Error).message || errorCode(cause)}`,
      { cause },
    );
  }
}

/** How to connect. Values in the log are written in UTC and ISO notation, whatever the server's defaults are. */
export function connectionOf({ database }: CaptureSettings, secret: DatabaseSecret): ClientConfig {
  return {
    host: secret.host,
    port: Number(secret.port),
    user: secret.username,
    password: secret.password,
    database,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    options:
      "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=1",
  };
}

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;
