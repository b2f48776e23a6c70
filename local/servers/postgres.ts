import { useGivenPostgres } from "./given-postgres";
import { startOwnPostgres } from "./own-postgres";
import type { PostgresServer, ServerOptions } from "./postgres-server";

export type { PostgresServer, ServerOptions };

/**
 * Starts PostgreSQL 17 for this run, on 127.0.0.1 and a free port (`DOMAINS_POSTGRES_PORT` fixes it), or uses the server
 * that `DATABASE_URL` names.
 *
 * @throws POSTGRES_UNAVAILABLE (no binaries for this platform, or they cannot run here), POSTGRES_USER_MISSING,
 *   POSTGRES_START_FAILED, PORT_TAKEN, PORT_INVALID; with DATABASE_URL: DATABASE_URL_INVALID, DATABASE_UNREACHABLE,
 *   DATABASE_TOO_OLD, DATABASE_WITHOUT_LOGICAL_DECODING, DATABASE_NOT_PERMITTED
 */
export function startPostgres(options: ServerOptions): Promise<PostgresServer> {
  const given = process.env["DATABASE_URL"];
  return given === undefined || given === "" ? startOwnPostgres(options) : useGivenPostgres(given, options);
}
