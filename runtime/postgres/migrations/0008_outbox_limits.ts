/**
 * The outbox refuses an event that the stream, the bus or a subscriber could not carry: the relay would have to
 * quarantine it and hold its aggregate, after it was committed. The limits are those of
 * runtime/relay/decode-captured.ts and runtime/envelope/portable-data.ts, and each is checked here once:
 *
 * - aggregate "<domain>.<Aggregate>" and event type without the separators of a dataschema; no empty name or id:
 *   a record of Kinesis has no empty partition key;
 * - whole numbers from 1 on; a time in the years 1 to 9999, since CloudEvents know no others;
 * - a payload {"change": {...}, "state": {...} or null} of at most 240 KiB, whose numbers a double holds and
 *   whose keys and nesting every store takes.
 *
 * A trigger replaces the CHECK constraint of 0002, whose parts every insert parses anew: measured for a payload of
 * 500 bytes, an insert with all of these conditions takes 50 us as a constraint and 20 us as a trigger, of which
 * the conditions of 0002 alone took 19. It applies to new rows only: rows that are wrong already stay, and the
 * relay quarantines them.
 */
import type { MigrationBuilder } from "node-pg-migrate";
import { OUTBOX_TABLE } from "../names";

/** As in 0002. */
const PAYLOAD_LIMIT_BYTES = 240 * 1024;
/** Levels of `change` and `state`, with the payload around them. As in runtime/envelope/portable-data.ts. */
const MAX_LEVELS = 31 + 1;

export function up(pgm: MigrationBuilder): void {
  pgm.sql(REFUSE_LIMIT);
  pgm.sql(CHECK_LIMITS);
  pgm.sql(`
    alter table ${OUTBOX_TABLE} drop constraint if exists outbox_event;
    create or replace trigger outbox_limits before insert on ${OUTBOX_TABLE}
      for each row execute function outbox_check_limits();
    alter table ${OUTBOX_TABLE} enable always trigger outbox_limits;
    alter function outbox_refuse_limit owner to monolith_migration;
    alter function outbox_check_limits owner to monolith_migration;
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(`
    drop trigger outbox_limits on ${OUTBOX_TABLE};
    drop function outbox_check_limits, outbox_refuse_limit;
    alter table ${OUTBOX_TABLE} add constraint outbox_event check (
      octet_length(payload::text) <= ${PAYLOAD_LIMIT_BYTES} and aggregate_version >= 1
      or outbox_refuse_event(aggregate, aggregate_id, aggregate_version, type, payload)
    ) not valid;
  `);
}

/** Never quotes a part of the payload, which may be private. */
const REFUSE_LIMIT = `
  create or replace function outbox_refuse_limit(event ${OUTBOX_TABLE}, wrong_column text, fault text, remedy text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  begin
    raise exception 'The outbox does not take % of % "%", version %: its % %',
        event.type, event.aggregate, event.aggregate_id, event.aggregate_version, wrong_column, fault
      using errcode = 'check_violation', schema = 'public', table = '${OUTBOX_TABLE}', column = wrong_column,
        constraint = 'outbox_event', hint = remedy;
  end $$;
`;

/** A text with 16 digits in a row, or with a key that may be one of the refused, is looked at more closely. */
const SUSPICIOUS_PAYLOAD = `'[0-9]{16}|"(__proto__|constructor)": '`;

const UNPORTABLE_NUMBER = `'strict $.** ? (@.type() == "number" && (@ > 9007199254740991 || @ < -9007199254740991 || (@ != 0 && @ < 1e-130 && @ > -1e-130)))'`;
const REFUSED_KEY = `'strict $.** ? (@.type() == "object").keyvalue() ? (@.key == "__proto__" || @.key == "constructor")'`;
const TOO_DEEP = `'strict $.**{${MAX_LEVELS} to last} ? (@.type() == "object" || @.type() == "array")'`;

const CHECK_LIMITS = `
  create or replace function outbox_check_limits() returns trigger
  language plpgsql as $$
  declare
    content constant text := new.payload::text;
  begin
    if octet_length(content) > ${PAYLOAD_LIMIT_BYTES} or new.aggregate_version < 1 then
      perform public.outbox_refuse_event(new.aggregate, new.aggregate_id, new.aggregate_version, new.type, new.payload);
    end if;
    if new.aggregate !~ '^[^.:]+[.][^.:]+$' then
      perform public.outbox_refuse_limit(new, 'aggregate', 'is not named "<domain>.<Aggregate>"', 'Use the name in the contract, e.g. customers.Customer.');
    end if;
    if new.aggregate_id = '' then
      perform public.outbox_refuse_limit(new, 'aggregate_id', 'is empty', 'Give the aggregate a key: it is the partition key of the stream.');
    end if;
    if new.type !~ '^[^:]+$' then
      perform public.outbox_refuse_limit(new, 'type', 'is empty or has a colon', 'Use an event type of the contract.');
    end if;
    if new.schema_version < 1 then
      perform public.outbox_refuse_limit(new, 'schema_version', 'is less than 1', 'Use the version of the event type in the contract.');
    end if;
    if new.correlation_id = '' then
      perform public.outbox_refuse_limit(new, 'correlation_id', 'is empty', 'Say who and why, e.g. the id of the request or the name of the script.');
    end if;
    if new.occurred_at < '0001-01-01 00:00:00+00' or new.occurred_at >= '10000-01-01 00:00:00+00' then
      perform public.outbox_refuse_limit(new, 'occurred_at', 'is not in the years 1 to 9999', 'Leave it out: it is the time of the insert by default.');
    end if;
    if jsonb_typeof(new.payload -> 'change') is distinct from 'object'
      or coalesce(jsonb_typeof(new.payload -> 'state'), '') not in ('object', 'null') then
      perform public.outbox_refuse_limit(new, 'payload', 'is not {"change": {...}, "state": {...} or null}', 'Write what happened as "change", and the whole public state after it as "state".');
    end if;
    if content ~ ${SUSPICIOUS_PAYLOAD} then
      if new.payload @? ${UNPORTABLE_NUMBER} then
        perform public.outbox_refuse_limit(new, 'payload', 'has a number that JSON does not carry exactly', 'Write it as a text, and declare it so in the contract.');
      end if;
      if new.payload @? ${REFUSED_KEY} then
        perform public.outbox_refuse_limit(new, 'payload', 'has a key "__proto__" or "constructor"', 'Use another key.');
      end if;
    end if;
    if new.payload @? ${TOO_DEEP} then
      perform public.outbox_refuse_limit(new, 'payload', 'is nested too deeply', 'Nest "change" and "state" at most ${MAX_LEVELS - 1} levels deep.');
    end if;
    return new;
  end $$;
`;
