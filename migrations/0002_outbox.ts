/**
 * The outbox and what goes with it: the inbox (what makes a reaction, or a request with an id, take effect once) and the last versions
 * of deleted aggregates.
 *
 * The outbox is insert-only: relays and consumers trust that what was captured is what the table says. Its names are
 * `varchar(n)` and not `text`, since DMS handles `text` as a LOB and Kinesis takes a partition key of at most 256 characters.
 */
import type { MigrationBuilder } from "node-pg-migrate";

/** EventBridge's budget of 256 KB less what the envelope takes: the largest payload, in bytes of its JSON text. */
const PAYLOAD_LIMIT_BYTES = 240 * 1024;

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
    grant select, insert, delete on inbox to monolith_application;
    grant select on deleted_aggregates to monolith_application;
    grant select on outbox to monolith_capture;
  `);
  pgm.sql(REFUSE_CHANGE);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(`
    drop table deleted_aggregates, inbox, outbox;
    drop function outbox_refuse_event;
    drop function outbox_refuse_change;
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
        hint = 'Correct a wrong event with a further change of its aggregate; retention deletes old rows as monolith_migration.';
  end $$;
  alter function outbox_refuse_change owner to monolith_migration;

  create trigger outbox_insert_only before update or truncate on outbox
    for each statement execute function outbox_refuse_change();
  alter table outbox enable always trigger outbox_insert_only;
`;
