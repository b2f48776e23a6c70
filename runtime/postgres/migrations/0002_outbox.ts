/**
 * The outbox and what goes with it: the inbox (what makes a reaction, or a request with an id, take effect once) and the last versions
 * of deleted aggregates.
 *
 * The outbox is insert-only: relays and consumers trust that what was captured is what the table says. Retention removes old
 * rows, and nobody removes young ones. Its names are `varchar(n)` and not `text`, since DMS handles `text` as a LOB and Kinesis
 * takes a partition key of at most 256 characters. Of a removed row the log has all columns (replica identity full, which DMS reads
 * with test_decoding): it needs `aggregate_id` for the partition key of that record too.
 */
import type { MigrationBuilder } from "node-pg-migrate";

/** EventBridge's budget of 256 KB less what the envelope takes: the largest payload, in bytes of its JSON text. */
const PAYLOAD_LIMIT_BYTES = 240 * 1024;
/** Nobody removes an event sooner: time to see that something is wrong, and to stop retention. */
const OUTBOX_MINIMUM_DAYS = 1;
/**
 * An event may come back for so long: a day in EventBridge, 4 days in its queue, 14 days in a dead-letter queue. An inbox that
 * forgot it sooner would let a reaction take effect twice.
 */
const INBOX_MINIMUM_DAYS = 19;

export function up(pgm: MigrationBuilder): void {
  pgm.sql(REFUSE_EVENT);
  pgm.sql(`
    create table outbox (
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
    alter table outbox replica identity full;
    comment on table outbox is 'Domain events, written in the transaction of the change they tell of. Insert-only.';
    comment on column outbox.aggregate is '<domain>.<Aggregate>, e.g. customers.Customer';
    comment on column outbox.payload is '{"change": what happened, "state": the public state after it, null once it is gone}';

    -- Retention removes the oldest rows in small batches and must not read the whole table for each.
    create index outbox_occurred_at on outbox (occurred_at);

    create table inbox (
      consumer text not null,
      message_id text not null,
      processed_at timestamptz not null default now(),
      fingerprint text,
      changes jsonb,
      primary key (consumer, message_id)
    );
    comment on table inbox is 'What each consumer has processed, so that a reaction, or a request with an id, takes effect once.';
    comment on column inbox.fingerprint is 'Of a request: tells it from another one under the same id. Null for an event.';
    comment on column inbox.changes is 'Of a request: [{"aggregate", "id", "version", "event", "eventId"}], to answer a repeated one by. Null for an event.';
    create index inbox_processed_at on inbox (processed_at);

    create table deleted_aggregates (
      aggregate varchar(256) not null,
      aggregate_id varchar(256) not null,
      version integer not null check (version >= 1),
      primary key (aggregate, aggregate_id)
    );
    comment on table deleted_aggregates is
      'The last version of each aggregate that is deleted at present: one that is created again goes on from it.';

    alter table outbox owner to monolith_migration;
    alter table inbox owner to monolith_migration;
    alter table deleted_aggregates owner to monolith_migration;
    alter function outbox_refuse_event owner to monolith_migration;

    grant select, insert on outbox to monolith_application;
    grant select, insert on inbox to monolith_application;
    grant select on deleted_aggregates to monolith_application;
    grant select on outbox to monolith_capture;
    grant select, delete on outbox, inbox to monolith_retention;
  `);
  pgm.sql(REFUSE_CHANGE);
  pgm.sql(KEEP_YOUNG_ROWS);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(`
    drop table deleted_aggregates, inbox, outbox;
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
        using errcode = 'check_violation', schema = 'public', table = 'outbox', column = 'aggregate_version', constraint = 'outbox_event';
    end if;
    raise exception 'The payload of % of % "%" is % bytes of JSON, more than the % bytes that an event may have',
        event_type, aggregate, aggregate_id, octet_length(payload::text), ${PAYLOAD_LIMIT_BYTES}
      using errcode = 'DC002', schema = 'public', table = 'outbox', column = 'payload', constraint = 'outbox_event',
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

  create trigger outbox_insert_only before update or truncate on outbox
    for each statement execute function outbox_refuse_change();
  alter table outbox enable always trigger outbox_insert_only;
`;

// The condition stands at the trigger, so that a row that may go costs no call of a function.
const KEEP_YOUNG_ROWS = `
  create function refuse_young_deletion() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  begin
    raise exception 'Table % keeps each row for at least % day(s), so this deletion is refused', tg_relid::regclass, tg_argv[0]
      using errcode = 'DC003', schema = tg_table_schema, table = tg_table_name, hint = tg_argv[1];
  end $$;
  alter function refuse_young_deletion owner to monolith_migration;

  create trigger outbox_keep_young before delete on outbox
    for each row when (old.occurred_at > clock_timestamp() - interval '${OUTBOX_MINIMUM_DAYS} days')
    execute function refuse_young_deletion('${OUTBOX_MINIMUM_DAYS}', 'Correct a wrong event with a further change of its aggregate.');
  create trigger inbox_keep_young before delete on inbox
    for each row when (old.processed_at > clock_timestamp() - interval '${INBOX_MINIMUM_DAYS} days')
    execute function refuse_young_deletion('${INBOX_MINIMUM_DAYS}', 'An event can come back for as long, and would take effect twice.');
  alter table outbox enable always trigger outbox_keep_young;
  alter table inbox enable always trigger inbox_keep_young;
`;
