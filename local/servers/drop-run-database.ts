import type { DatabaseRecord } from "./run-record";

const CONNECT_TIMEOUT_MILLISECONDS = 5_000;

/**
 * Drops a database together with its replication slots, which would otherwise keep the server's write-ahead log for ever.
 *
 * @returns false if there was no such database
 * @throws what the server or the connection throws
 */
export async function dropRunDatabase({ name, adminUrl }: DatabaseRecord): Promise<boolean> {
  // Loaded here, since the guardian imports this file and hardly ever needs it.
  const { Client } = await import("pg");
  const client = new Client({
    connectionString: adminUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
  });
  // An idle connection that breaks is reported by the next query; without a listener it would end the process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    // A slot in use cannot be dropped, so its reader goes first; the reader's end takes a moment.
    await client.query(
      `select pg_terminate_backend(active_pid, 2000)
         from pg_replication_slots where database = $1 and active_pid is not null`,
      [name],
    );
    await client.query(
      "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1",
      [name],
    );
    const found = await client.query("select 1 from pg_database where datname = $1", [name]);
    if (found.rowCount === 0) return false;
    await client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`);
    return true;
  } finally {
    await client.end();
  }
}
