import type { Pool } from "pg";

/** What became of a batch of old events. */
export interface OldEvents {
  /** Rows that are old enough, up to the size of the batch. */
  found: number;
  /** Those of them that are gone by this call. */
  removed: number;
  /** Those of them that capture has not confirmed: they stay. */
  uncaptured: number;
}

/**
 * Removes the oldest rows of the outbox, in one transaction, unless capture has not confirmed them. The log would keep a removed row
 * for capture as long as the slot lives; but a slot may be dropped, or lose its log (max_slot_wal_keep_size), and then the row is all
 * that is left of the event.
 *
 * Confirmed is what was inserted by a transaction before the slot's catalog_xmin: PostgreSQL moves that on only when capture has
 * confirmed a position at which all earlier transactions had ended.
 *
 * @param days how old a row must be
 * @param limit rows at most
 */
export async function removeOldEvents(pool: Pool, days: number, limit: number): Promise<OldEvents> {
  const { rows } = await pool.query<OldEvents>(REMOVE_OLD_EVENTS, [days, limit]);
  return rows[0] as OldEvents; // one row, since it counts
}

/**
 * Removes the oldest records of the inbox, in one transaction.
 *
 * @param days how old a record must be
 * @param limit records at most
 * @returns how many are gone
 */
export async function removeOldInboxRecords(pool: Pool, days: number, limit: number): Promise<number> {
  const { rowCount } = await pool.query(REMOVE_OLD_INBOX_RECORDS, [days, limit]);
  return rowCount ?? 0;
}

const REMOVE_OLD_EVENTS = `
  with slot as materialized (
    select age(catalog_xmin) as age from pg_replication_slots
      where slot_name = current_database() || '_outbox' and wal_status is distinct from 'lost'
  ), old as materialized (
    select id, coalesce(age(xmin) > (select age from slot), false) as captured from outbox
      where occurred_at < now() - make_interval(days => $1::integer) order by occurred_at limit $2::integer
  ), removed as (
    delete from outbox using old where outbox.id = old.id and old.captured returning 1
  )
  select count(*)::integer as found, (select count(*) from removed)::integer as removed,
         (count(*) filter (where not captured))::integer as uncaptured
    from old`;

const REMOVE_OLD_INBOX_RECORDS = `
  delete from inbox using (
    select consumer, message_id from inbox
      where processed_at < now() - make_interval(days => $1::integer) order by processed_at limit $2::integer
  ) as old
  where inbox.consumer = old.consumer and inbox.message_id = old.message_id`;
