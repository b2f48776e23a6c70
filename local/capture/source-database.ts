import { type ClientConfig, Pool } from "pg";
import { codedError, errorCode } from "../../runtime/function/coded-error";
import { HEARTBEAT_SCHEMA, slotName } from "../../runtime/postgres/names";
import { formatLsn, type Lsn, parseLsn } from "./lsn";
import type { CaptureSettings } from "./settings";

/** What the source endpoint's secret holds. */
export interface DatabaseSecret {
  username: string;
  password: string;
  host: string;
  port: number;
}

/** The captured table, as the catalog describes it. */
export interface SourceTable {
  schema: string;
  name: string;
  /** Schema and name as SQL writes them, quoted where necessary. */
  identifier: string;
  columns: SourceColumn[];
}

/** A column of the captured table. */
export interface SourceColumn {
  name: string;
  type: ColumnType;
}

/** The types that the local capture can write as DMS does: those of the outbox, without their length. */
export type ColumnType = (typeof COLUMN_TYPES)[number];
const COLUMN_TYPES = ["uuid", "character varying", "integer", "jsonb", "timestamp with time zone"] as const;

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
    max: 2,
    statement_timeout: STATEMENT_TIMEOUT_MILLISECONDS,
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
export function connectionOf({ database, taskId }: CaptureSettings, secret: DatabaseSecret): ClientConfig {
  return {
    host: secret.host,
    port: Number(secret.port),
    user: secret.username,
    password: secret.password,
    database,
    application_name: `domain-consistency capture ${taskId}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    options: "-c timezone=UTC -c datestyle=ISO",
  };
}

/**
 * Checks that the slot can be read.
 *
 * @returns the position up to which it was confirmed before
 * @throws CAPTURE_SLOT_MISSING; CAPTURE_SLOT_UNUSABLE if it belongs to another plugin or database, or has lost its
 *   log; CAPTURE_START_TOO_LATE if the task's start position would skip changes that the slot still has
 */
export async function checkSlot(
  pool: Pool,
  { slotName: name, database, startPosition }: CaptureSettings,
): Promise<Lsn> {
  const { rows } = await pool.query<SlotRow>(
    "select slot_type, plugin, database, wal_status, confirmed_flush_lsn from pg_replication_slots where slot_name = $1",
    [name],
  );
  const [slot] = rows;
  if (!slot) {
    throw codedError(
      "CAPTURE_SLOT_MISSING",
      `There is no replication slot "${name}" (postgresSettings.slotName). Run "npm run migrate", which creates "${slotName(database)}" where it is missing, or correct the name. ` +
        "What was committed without a slot is in the outbox and is not captured",
    );
  }
  const problem =
    slot.slot_type !== "logical"
      ? "is a physical slot"
      : slot.database !== database
        ? `belongs to database "${slot.database}", not to "${database}"`
        : slot.plugin !== "test_decoding"
          ? `was created for the plugin "${slot.plugin}", not for test_decoding (postgresSettings.pluginName)`
          : slot.wal_status === "lost"
            ? "has lost its log (max_slot_wal_keep_size): what was committed since then can no longer be captured"
            : undefined;
  if (problem !== undefined) {
    throw codedError(
      "CAPTURE_SLOT_UNUSABLE",
      `The replication slot "${name}" ${problem}. Drop it (select pg_drop_replication_slot('${name}')) and run "npm run migrate", which creates "${slotName(database)}" again. ` +
        "What was committed meanwhile is in the outbox and is not captured",
    );
  }
  const confirmed = parseLsn(slot.confirmed_flush_lsn ?? "0/0") ?? 0n;
  if (startPosition > confirmed) {
    throw codedError(
      "CAPTURE_START_TOO_LATE",
      `The task starts at ${formatLsn(startPosition)} (cdcStartPosition), and would skip what the replication slot "${name}" has from ` +
        `${formatLsn(confirmed)} on. Set captureStartPosition to ${formatLsn(confirmed)}`,
    );
  }
  return confirmed;
}

/**
 * Reads the table that the selection rule names.
 *
 * @throws CAPTURE_TABLE_MISSING; CAPTURE_COLUMN_UNSUPPORTED if a column has a type that the outbox does not use;
 *   CAPTURE_MAPPINGS_INVALID if the partition key names a column that the table does not have
 */
export async function readSourceTable(pool: Pool, settings: CaptureSettings): Promise<SourceTable> {
  const { table, partitionKeyColumn } = settings;
  const { rows } = await pool.query<CatalogRow>(COLUMNS, [table.schema, table.name]);
  const title = `"${table.schema}.${table.name}"`;
  const [first] = rows;
  if (!first) {
    throw codedError(
      "CAPTURE_TABLE_MISSING",
      `The database has no table ${title}, which the selection rule names. Run the migrations, or correct the rule (it is case-sensitive)`,
    );
  }
  if (!rows.some(({ name }) => name === partitionKeyColumn)) {
    throw codedError(
      "CAPTURE_MAPPINGS_INVALID",
      `The object-mapping rule of table ${title} names the column "${partitionKeyColumn}", which the table does not have. ` +
        `It has ${rows.map(({ name }) => name).join(", ")}`,
    );
  }
  const columns = rows.map(({ name, type }): SourceColumn => {
    const supported = COLUMN_TYPES.find((known) => known === type);
    if (supported) return { name, type: supported };
    throw codedError(
      "CAPTURE_COLUMN_UNSUPPORTED",
      `The column "${name}" of table ${title} has the type "${type}". The local capture supports ${COLUMN_TYPES.join(", ")}: ` +
        "use one of them, or add DMS's form of the type to local/capture/encode-dms-record.ts",
    );
  });
  return { ...table, identifier: first.identifier, columns };
}

/**
 * Starts DMS's heartbeat: dummy transactions that advance the slot of an idle database, so that its log can be
 * removed. The user of the endpoint creates the table for it. A later beat that fails is skipped: the next one
 * has the same effect.
 *
 * @returns what stops it
 * @throws CAPTURE_HEARTBEAT_REFUSED if the user may not do that: the slot would then fill the disk
 */
export async function startHeartbeat(
  pool: Pool,
  { schema, everyMilliseconds }: CaptureSettings["heartbeat"],
  user: string,
): Promise<() => void> {
  const table = `"${schema.replaceAll('"', '""')}".awsdms_heartbeat`;
  const beat = (): Promise<unknown> =>
    pool.query(
      `insert into ${table} values (1, now(), $1, now(), $1)
       on conflict (hb_key) do update set hb_last_heartbeat_at = excluded.hb_last_heartbeat_at, hb_last_heartbeat_by = excluded.hb_last_heartbeat_by`,
      [user],
    );
  try {
    await pool.query(`create table if not exists ${table} ${HEARTBEAT_COLUMNS}`);
    await beat();
  } catch (cause) {
    throw codedError(
      "CAPTURE_HEARTBEAT_REFUSED",
      `"${user}" cannot write DMS's heartbeat table "${schema}.awsdms_heartbeat" (postgresSettings.heartbeatSchema): ${(cause as Error).message}. ` +
        `Set heartbeatSchema to "${HEARTBEAT_SCHEMA}", the schema that the migrations create for it`,
      { cause },
    );
  }
  const timer = setInterval(() => void beat().catch(() => {}), everyMilliseconds);
  return () => clearInterval(timer);
}

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;
/** DMS's default executeTimeout. */
const STATEMENT_TIMEOUT_MILLISECONDS = 60_000;

interface SlotRow {
  slot_type: string;
  plugin: string | null;
  database: string | null;
  wal_status: string | null;
  confirmed_flush_lsn: string | null;
}

interface CatalogRow {
  identifier: string;
  name: string;
  type: string;
}

const COLUMNS = `
  select format('%I.%I', n.nspname, c.relname) as identifier, a.attname as name, format_type(a.atttypid, null) as type
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   where c.relkind = 'r' and n.nspname = $1 and c.relname = $2
   order by a.attnum`;

/** As DMS creates it. */
const HEARTBEAT_COLUMNS = `(
  hb_key serial primary key,
  hb_created_at timestamp,
  hb_created_by varchar(64),
  hb_last_heartbeat_at timestamp,
  hb_last_heartbeat_by varchar(64)
)`;
