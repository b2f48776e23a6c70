import { Client, escapeIdentifier } from "pg";
import { type AggregateFacts, type Landscape, MONOLITH_OUTBOX } from "../facts";
import type { AuditedChange, EntityRow, InboxRecord, OutboxEntry, Row } from "../snapshot";
import { tablesUnknown } from "./failure";

/** The contents of the monolith's database. */
export interface PostgresContents {
  changes: AuditedChange[];
  entities: EntityRow[];
  outbox: OutboxEntry[];
  inbox: InboxRecord[];
}

/**
 * Reads the monolith's database in one snapshot.
 *
 * @param adminUrl a superuser's URL of the database, on which `installAudit` was called
 * @throws TABLE_UNKNOWN if there is an entity table that no domain registers
 */
export async function readPostgres(adminUrl: string, landscape: Landscape): Promise<PostgresContents> {
  const known = landscape.aggregates.filter(({ store }) => store === "postgres");
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query("begin isolation level repeatable read read only");
    await checkTables(client, known);
    const entities = [...(await livingRows(client, known)), ...(await goneRows(client))];
    return {
      changes: await changes(client, known),
      entities,
      outbox: await outbox(client),
      inbox: await inbox(client),
    };
  } finally {
    await client.end();
  }
}

/** Every entity table has the guard's trigger. */
async function checkTables(client: Client, known: readonly AggregateFacts[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "select relname as name from pg_trigger join pg_class on pg_class.oid = tgrelid where tgname = 'guard_outbox'",
  );
  const unknown = rows.filter(({ name }) => !known.some(({ table }) => table === name));
  if (unknown.length > 0) throw tablesUnknown(unknown.map(({ name }) => name));
}

async function changes(client: Client, known: readonly AggregateFacts[]): Promise<AuditedChange[]> {
  const { rows } = await client.query<{
    table_name: string;
    operation: AuditedChange["operation"];
    key: string;
    old_version: number | null;
    new_version: number | null;
    new_row: Row | null;
    transaction: string;
  }>("select * from verdict_audit.changes order by seq");
  return rows.map(({ table_name, operation, key, old_version, new_version, new_row, transaction }) => ({
    aggregate: known.find(({ table }) => table === table_name)?.name ?? table_name,
    id: key,
    operation,
    oldVersion: old_version,
    // A deletion leaves no row to hold its version.
    newVersion: new_version ?? Number(old_version) + 1,
    row: new_row,
    transaction,
  }));
}

async function livingRows(client: Client, known: readonly AggregateFacts[]): Promise<EntityRow[]> {
  const tables: EntityRow[] = [];
  for (const aggregate of known) {
    const { rows } = await client.query<{ row: Row }>(
      `select to_jsonb(entity) as row from public.${escapeIdentifier(aggregate.table)} entity`,
    );
    tables.push(...rows.map(({ row }) => entityRow(aggregate, row)));
  }
  return tables;
}

function entityRow({ name, key }: AggregateFacts, row: Row): EntityRow {
  return { aggregate: name, id: String(row[key]), version: Number(row["version"]), row };
}

async function goneRows(client: Client): Promise<EntityRow[]> {
  const { rows } = await client.query<{ aggregate: string; id: string; version: number }>(
    "select aggregate, aggregate_id as id, version from deleted_aggregates",
  );
  return rows.map((row) => ({ ...row, row: null }));
}

async function outbox(client: Client): Promise<OutboxEntry[]> {
  const { rows } = await client.query<Row>(`
    select outbox.*, transaction from outbox left join verdict_audit.outbox_rows using (id) order by occurred_at, id`);
  return rows.map((row) => ({
    id: String(row["id"]),
    outbox: MONOLITH_OUTBOX,
    aggregate: String(row["aggregate"]),
    aggregateId: String(row["aggregate_id"]),
    version: Number(row["aggregate_version"]),
    type: String(row["type"]),
    data: row["payload"] as OutboxEntry["data"],
    correlationId: String(row["correlation_id"]),
    causationId: (row["causation_id"] as string | null) ?? undefined,
    occurredAt: (row["occurred_at"] as Date).toISOString(),
    ...(row["transaction"] === null ? {} : { transaction: String(row["transaction"]) }),
  }));
}

async function inbox(client: Client): Promise<InboxRecord[]> {
  const { rows } = await client.query<{ consumer: string; message_id: string; processed_at: Date }>(
    "select consumer, message_id, processed_at from inbox",
  );
  return rows.map(({ consumer, message_id, processed_at }) => ({
    consumer,
    messageId: message_id,
    processedAt: processed_at.toISOString(),
  }));
}
