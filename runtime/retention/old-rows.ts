import type { Pool } from "pg";
import { INBOX_TABLE, OUTBOX_TABLE, SLOT_NAME_SQL } from "../postgres/names";

/** The result of removing one batch of old events. */
export interface OldEvents {
  /** Rows that this call removed. */
  removed: number;
  /** Rows of the batch that were kept, because capture has not confirmed them. */
  uncaptured: number;
  /** Whether more rows may be old enough. */
  more: boolean;
}

/** The size of a batch. */
export interface BatchLimits {
  rows: number;
  /** Bytes of the records that capture writes for the removals; a single row may exceed it. */
  bytes: number;
}

/**
 * Removes the oldest rows of the outbox that capture has confirmed, in one transaction. While the slot
 * exists, its log keeps a removed row for capture. But a slot may be dropped, or lose its log
 * (max_slot_wal_keep_size), and then only the row preserves the event.
 *
 * A row is confirmed if a transaction before the slot's catalog_xmin inserted it: PostgreSQL advances
 * catalog_xmin only when capture has confirmed a position at which all earlier transactions had ended.
 *
 * @param days how old a row must be
 */
export async function removeOldEvents(pool: Pool, days: number, limits: BatchLimits): Promise<OldEvents> {
  const values = [days, limits.rows, limits.bytes, RECORD_BYTES];
  const { rows } = await pool.query<OldEvents>(REMOVE_OLD_EVENTS, values);
  return rows[0] as OldEvents; // an aggregate query returns one row
}

/**
 * Removes the oldest records of the inbox, in one transaction.
 *
 * @param days how old a record must be
 * @param limit maximum number of records
 * @returns the number of removed records
 */
export async function removeOldInboxRecords(pool: Pool, days: number, limit: number): Promise<number> {
  const { rowCount } = await pool.query(REMOVE_OLD_INBOX_RECORDS, [days, limit]);
  return rowCount ?? 0;
}

/** Bytes of a removal's record beside the payload, which the log also holds (replica identity full). */
const RECORD_BYTES = 1_024;

/**
 * True once no other batch is being removed in this database. Two at once would lock the same rows, each in
 * the order of its plan, and PostgreSQL would end one of them for a deadlock.
 */
const IN_TURN =
  "(select pg_advisory_xact_lock(hashtextextended('domain_consistency.retention', 0)) is not null)";

const REMOVE_OLD_EVENTS = `
  with slot as materialized (
    select age(catalog_xmin) as age from pg_replication_slots
      where slot_name = ${SLOT_NAME_SQL} and wal_status is distinct from 'lost'
  ), oldest as (
    select id, occurred_at, payload, coalesce(age(xmin) > (select age from slot), false) as captured from ${OUTBOX_TABLE}
      where ${IN_TURN} and occurred_at < now() - make_interval(days => $1::integer) order by occurred_at limit $2::integer
  ), old as materialized (
    select id, captured, row_number() over first_ones = 1
           or sum(octet_length(payload::text) + $4::integer) over first_ones <= $3::integer as in_batch
      from oldest window first_ones as (order by occurred_at, id rows unbounded preceding)
  ), removed as (
    delete from ${OUTBOX_TABLE} using old where ${OUTBOX_TABLE}.id = old.id and old.captured and old.in_batch returning 1
  )
  select (select count(*) from removed)::integer as removed,
         (count(*) filter (where in_batch and not captured))::integer as uncaptured,
         count(*) = $2::integer or count(*) filter (where not in_batch) > 0 as more
    from old`;

const REMOVE_OLD_INBOX_RECORDS = `
  delete from ${INBOX_TABLE} using (
    select consumer, message_id from ${INBOX_TABLE}
      where ${IN_TURN} and processed_at < now() - make_interval(days => $1::integer) order by processed_at limit $2::integer
  ) as old
  where ${INBOX_TABLE}.consumer = old.consumer and ${INBOX_TABLE}.message_id = old.message_id`;
