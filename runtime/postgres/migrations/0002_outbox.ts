/**
 * The outbox, the inbox (it makes a reaction, or a request with an ID, take effect once) and the last versions of
 * deleted aggregates.
 *
 * The outbox is insert-only: relays and consumers rely on captured rows never changing. Retention removes old
 * rows; young rows cannot be removed. Its names are `varchar(n)` and not `text`, since DMS handles `text` as a
 * LOB, and a partition key of Kinesis has at most 256 characters. The log has all columns of a removed row
 * (replica identity full, which DMS reads with test_decoding), because the record of a removal needs
 * `aggregate_id` as its partition key too.
 */
import type { MigrationBuilder } from "node-pg-migrate";
import { DELETED_AGGREGATES_TABLE, INBOX_TABLE, OUTBOX_TABLE } from "../names";

/** The largest payload, in bytes of its JSON text: EventBridge's 256 KB less the size of the envelope. */
const PAYLOAD_LIMIT_BYTES = 240 * 1024;
/** An event cannot be removed earlier, which leaves time to notice a problem and to stop retention. */
const OUTBOX_MINIMUM_DAYS = 1;
/**
 * How long an event may be delivered again: a day in EventBridge, 4 days in its queue, 14 days in a dead-letter
 * queue. An inbox that removed its record earlier would let a reaction take effect twice.
 */
const INBOX_MINIMUM_DAYS = 19;

export function up(pgm: MigrationBuilder): void {
  pgm.sql(REFUSE_EVENT);
  pgm.sql(`
    create table ${OUTBOX_TABLE} (
      id uuid primary key,
      aggregate varchar(256) not null,
      aggregate_id varchar(256) not null,
      aggregate_version integer not null,
      type varchar(128) not null,
      schema_version integer not null,
      payload jsonb not null,
      occurred_at timestamptz not null default clock_timestamp(),
      correlation_id varchar(256) not null,
      causation_id varchar(256),
      traceparent varchar(256),
      unique (aggregate, aggregate_id, aggregate_version),
      -- One constraint, since each is parsed anew by every insert (5 us). The function is called for a wrong row only.
      constraint outbox_event check (
        octet_length(payload::text) <= ${PAYLOAD_LIMIT_BYTES} and aggregate_version >= 1
        or outbox_refuse_event(aggregate, aggregate_id, aggregate_version, type, payload)
      )
    );
    alter table ${OUTBOX_TABLE} replica identity full;
    comment on table ${OUTBOX_TABLE} is 'Domain events, written in the transaction of the change they tell of. Insert-only.';
    comment on column ${OUTBOX_TABLE}.aggregate is '<domain>.<Aggregate>, e.g. customers.Customer';
    comment on column ${OUTBOX_TABLE}.payload is '{"change": what happened, "state": the public state after it, null once it is gone}';

    -- Retention removes the oldest rows in small batches and must not read the whole table for each.
    create index outbox_occurred_at on ${OUTBOX_TABLE} (occurred_at);

    create table ${INBOX_TABLE} (
      consumer text not null,
      message_id text not null,
      processed_at timestamptz not null default now(),
      fingerprint text,
      changes jsonb,
      primary key (consumer, message_id)
    );
    comment on table ${INBOX_TABLE} is 'What each consumer has processed, so that a reaction, or a request with an id, takes effect once.';
    comment on column ${INBOX_TABLE}.fingerprint is 'Of a request: tells it from another one under the same id. Null for an event.';
    comment on column ${INBOX_TABLE}.changes is 'Of a request: [{"aggregate", "id", "version", "event", "eventId"}], to answer a repeated one by. Null for an event.';
    create index inbox_processed_at on ${INBOX_TABLE} (processed_at);

    create table ${DELETED_AGGREGATES_TABLE} (
      aggregate varchar(256) not null,
      aggregate_id varchar(256) not null,
      version integer not null check (version >= 1),
      primary key (aggregate, aggregate_id)
    );
    comment on table ${DELETED_AGGREGATES_TABLE} is
      'The last version of each aggregate that is deleted at present: one that is created again goes on from it.';

    alter table ${OUTBOX_TABLE} owner to monolith_migration;
    alter table ${INBOX_TABLE} owner to monolith_migration;
    alter table ${DELETED_AGGREGATES_TABLE} owner to monolith_migration;
    alter function outbox_refuse_event owner to monolith_migration;

    grant select, insert on ${OUTBOX_TABLE} to monolith_application;
    grant select, insert on ${INBOX_TABLE} to monolith_application;
    grant select on ${DELETED_AGGREGATES_TABLE} to monolith_application;
    grant select on ${OUTBOX_TABLE} to monolith_capture;
    grant select, delete on ${OUTBOX_TABLE}, ${INBOX_TABLE} to monolith_retention;
  `);
  pgm.sql(REFUSE_CHANGE);
  pgm.sql(KEEP_YOUNG_ROWS);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(`
    drop table ${DELETED_AGGREGATES_TABLE}, ${INBOX_TABLE}, ${OUTBOX_TABLE};
    drop function outbox_refuse_event;
    drop function outbox_refuse_change;
    drop function refuse_young_deletion;
  `);
}

const REFUSE_EVENT = `
  create function outbox_refuse_event(aggregate text, aggregate_id text, version integer, event_type text, payload jsonb)
  returns boolean
  language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
  begin
    if version < 1 then
      raise exception '% of % "%" has version %, but versions begin with 1', event_type, aggregate, aggregate_id, version
        using errcode = 'check_violation', schema = 'public', table = '${OUTBOX_TABLE}', column = 'aggregate_version', constraint = 'outbox_event';
    end if;
    raise exception 'The payload of % of % "%" is % bytes of JSON, more than the % bytes that an event may have',
        event_type, aggregate, aggregate_id, octet_length(payload::text), ${PAYLOAD_LIMIT_BYTES}
      using errcode = 'DC002', schema = 'public', table = '${OUTBOX_TABLE}', column = 'payload', constraint = 'outbox_event',
        hint = 'Publish a reference to the large part (an S3 key, a link), or leave it out of the contract.';
  end $$;
`;

const REFUSE_CHANGE = `
  create function outbox_refuse_change() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  begin
    raise exception 'The outbox is insert-only, so % is refused', tg_op
      using errcode = 'DC003', schema = tg_table_schema, table = tg_table_name,
        hint = 'Correct a wrong event with a further change of its aggregate; retention deletes old rows as monolith_retention.';
  end $$;
  alter function outbox_refuse_change owner to monolith_migration;

  create trigger outbox_insert_only before update or truncate on ${OUTBOX_TABLE}
    for each statement execute function outbox_refuse_change();
  alter table ${OUTBOX_TABLE} enable always trigger outbox_insert_only;
`;

// The condition is part of the trigger, so that removing an old row does not cost a function call.
const KEEP_YOUNG_ROWS = `
  create function refuse_young_deletion() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  begin
    raise exception 'Table % keeps each row for at least % day(s), so this deletion is refused', tg_relid::regclass, tg_argv[0]
      using errcode = 'DC003', schema = tg_table_schema, table = tg_table_name, hint = tg_argv[1];
  end $$;
  alter function refuse_young_deletion owner to monolith_migration;

  create trigger outbox_keep_young before delete on ${OUTBOX_TABLE}
    for each row when (old.occurred_at > clock_timestamp() - interval '${OUTBOX_MINIMUM_DAYS} days')
    execute function refuse_young_deletion('${OUTBOX_MINIMUM_DAYS}', 'Correct a wrong event with a further change of its aggregate.');
  create trigger inbox_keep_young before delete on ${INBOX_TABLE}
    for each row when (old.processed_at > clock_timestamp() - interval '${INBOX_MINIMUM_DAYS} days')
    execute function refuse_young_deletion('${INBOX_MINIMUM_DAYS}', 'An event can come back for as long, and would take effect twice.');
  alter table ${OUTBOX_TABLE} enable always trigger outbox_keep_young;
  alter table ${INBOX_TABLE} enable always trigger inbox_keep_young;
`;
