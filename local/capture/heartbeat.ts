import type { Pool } from "pg";
import { codedError } from "../../runtime/function/coded-error";

/** DMS's heartbeat: dummy transactions, so that the slot of an idle database moves on and its log can be removed. */
export interface Heartbeat {
  stop(): void;
}

/**
 * Makes DMS's heartbeat table in the given schema, as the user of the endpoint, and writes to it once and then periodically. A
 * later beat that fails is left out: the next one does the same.
 *
 * @throws CAPTURE_HEARTBEAT_REFUSED where the user may not do that: on AWS the slot would hold the log until the disk is full
 */
export async function startHeartbeat(
  pool: Pool,
  schema: string,
  everyMilliseconds: number,
  user: string,
): Promise<Heartbeat> {
  const table = `"${schema.replaceAll('"', '""')}".awsdms_heartbeat`;
  const beat = (): Promise<unknown> =>
    pool.query(
      `insert into ${table} values (1, now(), $1, now(), $1)
       on conflict (hb_key) do update set hb_last_heartbeat_at = excluded.hb_last_heartbeat_at, hb_last_heartbeat_by = excluded.hb_last_heartbeat_by`,
      [user],
    );
  try {
    const { rowCount } = await pool.query(
      "select from pg_tables where schemaname = $1 and tablename = 'awsdms_heartbeat'",
      [schema],
    );
    if (rowCount === 0) await pool.query(`create table ${table} ${COLUMNS}`);
    await beat();
  } catch (cause) {
    throw codedError(
      "CAPTURE_HEARTBEAT_REFUSED",
      `"${user}" cannot write DMS's heartbeat table "${schema}.awsdms_heartbeat" (postgresSettings.heartbeatSchema): ${(cause as Error).message}. ` +
        'Set heartbeatSchema to "awsdms", the schema that the migrations make for it',
      { cause },
    );
  }
  const timer = setInterval(() => void beat().catch(() => {}), everyMilliseconds);
  return { stop: () => clearInterval(timer) };
}

/** As DMS makes it. */
const COLUMNS = `(
  hb_key serial primary key,
  hb_created_at timestamp,
  hb_created_by varchar(64),
  hb_last_heartbeat_at timestamp,
  hb_last_heartbeat_by varchar(64)
)`;
