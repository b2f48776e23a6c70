/** Rows of the outbox and the inbox with an age, and a capture that confirms them. */
import type { Client } from "pg";
import { vi } from "vitest";
import type { FreshDatabase } from "./postgres";

/**
 * Inserts events of a given age in days, without changes: the check of events is off in this database from then
 * on. The client is a superuser.
 */
export async function agedEvents(client: Client, count: number, days: number, noteBytes = 0): Promise<void> {
  const { rows } = await client.query<{ on: boolean }>(
    `select tgenabled <> 'D' as on from pg_trigger where tgname = 'outbox_check'`,
  );
  if (rows[0]?.on) await client.query("alter table outbox disable trigger outbox_check");
  await insertEvents(client, count, days, noteBytes);
}

/** Lets a superuser write events that tell of no change, as restored or broken data has them. */
export async function withoutOutboxCheck<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query("alter table outbox disable trigger outbox_check");
  try {
    return await work();
  } finally {
    await client.query("alter table outbox enable always trigger outbox_check");
  }
}

async function insertEvents(client: Client, count: number, days: number, noteBytes: number): Promise<void> {
  await client.query(
    `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, occurred_at, correlation_id)
     select gen_random_uuid(), 'test.Thing', gen_random_uuid(), 1, 'Happened', 1,
            jsonb_build_object('change', '{}'::jsonb, 'state', jsonb_build_object('note', repeat('x', $3::integer))),
            now() - make_interval(days => $2::integer, secs => n), 'test' from generate_series(1, $1::integer) n`,
    [count, days, noteBytes],
  );
}

/** Inserts inbox records of a given age in days. */
export async function agedInboxRecords(client: Client, count: number, days: number): Promise<void> {
  await client.query(
    `insert into inbox (consumer, message_id, processed_at)
     select 'test', gen_random_uuid(), now() - make_interval(days => $2::integer) from generate_series(1, $1::integer)`,
    [count, days],
  );
}

/** Counts the rows of a table that are at least a given number of days old. */
export async function countOlder(client: Client, table: "outbox" | "inbox", days: number): Promise<number> {
  const column = table === "outbox" ? "occurred_at" : "processed_at";
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::integer as count from ${table} where ${column} < now() - make_interval(days => $1)`,
    [days],
  );
  return rows[0]?.count ?? 0;
}

/** Confirms everything committed so far to the slot, as a capture does that has read it. */
export async function confirmCapture(superuser: Client, { name }: FreshDatabase): Promise<void> {
  const slot = `${name}_outbox`;
  // Transactions of other databases may be running; a confirmation takes effect only when earlier ones have
  // ended.
  await vi.waitUntil(
    async () => {
      await superuser.query("select pg_log_standby_snapshot()");
      await superuser.query("select pg_replication_slot_advance($1, pg_current_wal_lsn())", [slot]);
      const { rows } = await superuser.query(
        `select from outbox, pg_replication_slots where slot_name = $1 and age(outbox.xmin) <= age(catalog_xmin) limit 1`,
        [slot],
      );
      return rows.length === 0;
    },
    { timeout: 60_000, interval: 20 },
  );
}
