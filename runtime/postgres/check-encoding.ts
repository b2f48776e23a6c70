import type { Client } from "pg";
import { codedError } from "../function/coded-error";

const ENCODING = "UTF8";

/**
 * Refuses a database that does not store text as UTF-8. Logical decoding writes text in the database's encoding, and
 * everything that reads the log takes it for UTF-8: events would be published with broken or other characters.
 *
 * @throws DATABASE_NOT_UTF8
 */
export async function checkEncoding(client: Client, database: string): Promise<void> {
  const { rows } = await client.query<{ server_encoding: string }>("show server_encoding");
  const found = rows[0]?.server_encoding;
  if (found === ENCODING) return;
  throw codedError(
    "DATABASE_NOT_UTF8",
    `Database "${database}" stores text in the encoding ${found}, and change data capture needs ${ENCODING}: events would be ` +
      `published with broken characters. Create another database (create database <name> template template0 encoding '${ENCODING}' ` +
      "locale 'C.UTF-8') and move the data into it with pg_dump. Nothing was migrated.",
  );
}
