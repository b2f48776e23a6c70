/**
 * The other direction of the guard (0003): an event cannot be inserted without its change, and says what the row
 * says. `outbox_check` runs after each statement that inserts into the outbox, and refuses (errcode DC004) an event
 *
 * - whose aggregate no guarded table holds;
 * - whose aggregate was not changed to exactly its version by the same transaction: its row, or for `"state": null`
 *   its removal;
 * - whose type or schema version its contract does not have, or whose state is not what the contract's columns of
 *   the row say (once the contract is registered, which `npm run migrate` does after the migrations).
 *
 * It runs when the event is inserted and not at commit. So a change comes before its event, and a rollback to a
 * savepoint that removes the change removes the event too. The contract that was registered before stays valid,
 * because functions with the earlier code run until a deployment has replaced them.
 *
 * `select raise_event('customers.Customer', '<id>', 'CustomerRelocated', '{"from": "Oslo", "to": "Bergen"}')` lets
 * legacy SQL raise an event after its change; it takes version and state from the row.
 *
 * `outbox_check` is generated from the guarded tables and the registered contracts, so that an ordinary event
 * costs one call with one index probe.
 */
import type { MigrationBuilder } from "node-pg-migrate";
import { CONTRACTS_TABLE, DELETED_AGGREGATES_TABLE, OUTBOX_TABLE } from "../names";

export function up(pgm: MigrationBuilder): void {
  pgm.sql(`
    create table ${CONTRACTS_TABLE} (
      aggregate varchar(256) not null,
      is_current boolean not null,
      events jsonb not null,
      state_sql text not null,
      registered_at timestamptz not null default now(),
      primary key (aggregate, is_current)
    );
    comment on table ${CONTRACTS_TABLE} is 'What the events of each aggregate say: by its current contract, and by the one before.';
    comment on column ${CONTRACTS_TABLE}.events is 'Event type -> version of its schema.';
    comment on column ${CONTRACTS_TABLE}.state_sql is 'Makes the state of an event: an SQL expression over "entity", the row.';
    alter table ${CONTRACTS_TABLE} owner to monolith_migration;
    grant select on ${CONTRACTS_TABLE} to monolith_application;
  `);
  for (const statement of [RECHECK, GENERATE_CHECK, REGISTER_CONTRACT, RAISE_EVENT]) pgm.sql(statement);
  for (const name of [...PRIVILEGED, "raise_event"])
    pgm.sql(`alter function ${name} owner to monolith_migration`);
  pgm.sql(`revoke execute on function ${PRIVILEGED.join(", ")} from public`);
  pgm.sql(`
    select generate_outbox_check();
    create trigger outbox_check after insert on ${OUTBOX_TABLE} for each row execute function outbox_check();
    alter table ${OUTBOX_TABLE} enable always trigger outbox_check;
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(`
    drop trigger outbox_check on ${OUTBOX_TABLE};
    drop function outbox_check, raise_event, ${PRIVILEGED.join(", ")};
    drop table ${CONTRACTS_TABLE};
  `);
}

const PRIVILEGED = ["outbox_recheck", "generate_outbox_check", "register_contract"];

// Under repeatable read, a row that another transaction has just removed may be visible beside the new one: the younger counts.
// The slow half of the check of an event, for what the fast half has not accepted: it accepts what a savepoint has written
// and what the earlier contract says, and reports anything else. It names fields and no values, which may be private.
const RECHECK = `
  create function outbox_recheck(event public.${OUTBOX_TABLE}) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    guarded record;
    contract record;
    is_registered boolean := false;
    is_removal constant boolean := coalesce(event.payload -> 'state' = 'null', false);
    subject constant text := format('Event "%s" of %s "%s", version %s', event.type, event.aggregate, event.aggregate_id, event.aggregate_version);
    in_one constant text := 'Change the row first, then raise its event in the same transaction: '
      || format('select raise_event(%L, %L, %L, ''{<what happened>}'')', event.aggregate, event.aggregate_id, event.type);
    found_version integer;
    found_xmin xid;
    state jsonb;
    different text;
    known text;
  begin
    select * into guarded from public.guarded_tables where aggregate = event.aggregate;
    if not found then
      raise exception '% is refused: no guarded table holds %', subject, event.aggregate
        using errcode = 'DC004', schema = 'public', table = '${OUTBOX_TABLE}', column = 'aggregate',
          hint = format('The aggregates are: %s. A migration guards a table: select guard_entity_table(...).',
            coalesce((select string_agg(aggregate, ', ' order by aggregate) from public.guarded_tables), 'none'));
    end if;
    execute format('select version, xmin from %s where %I::text = $1 order by age(xmin) limit 1', guarded.entity, guarded.key_name)
      into found_version, found_xmin using event.aggregate_id;
    if is_removal then
      if found_version is not null then
        raise exception '% is refused: it says that the aggregate is gone, but table % has its row', subject, guarded.entity
          using errcode = 'DC004', schema = 'public', table = '${OUTBOX_TABLE}', column = 'payload', hint = in_one;
      end if;
      select version, xmin into found_version, found_xmin from public.${DELETED_AGGREGATES_TABLE}
        where aggregate = event.aggregate and aggregate_id = event.aggregate_id;
    end if;
    if found_version is null or not public.is_this_transaction(found_xmin) then
      raise exception '% is refused: this transaction has not changed the aggregate', subject
        using errcode = 'DC004', schema = 'public', table = '${OUTBOX_TABLE}', column = 'aggregate_version', hint = in_one;
    end if;
    if found_version <> event.aggregate_version then
      raise exception '% is refused: the aggregate is at version %', subject, found_version
        using errcode = 'DC004', schema = 'public', table = '${OUTBOX_TABLE}', column = 'aggregate_version',
          hint = 'Raise one event for each change, right after it. ' || in_one;
    end if;

    for contract in select * from public.${CONTRACTS_TABLE} where aggregate = event.aggregate order by is_current desc loop
      is_registered := true;
      known := coalesce(known, (select string_agg(format('%s (schema version %s)', key, value), ', ' order by key) from jsonb_each_text(contract.events) as types (key, value)));
      continue when contract.events -> event.type is distinct from to_jsonb(event.schema_version);
      known := '';
      if is_removal then
        return;
      end if;
      execute format('select %s from %s as entity where %I::text = $1 order by age(entity.xmin) limit 1', contract.state_sql, guarded.entity, guarded.key_name)
        into state using event.aggregate_id;
      if state = event.payload -> 'state' then
        return;
      end if;
      different := coalesce(different, (
        select string_agg(quote_ident(coalesce(stored.key, given.key)), ', ' order by coalesce(stored.key, given.key))
          from jsonb_each(state) as stored (key, value)
          full join jsonb_each(case jsonb_typeof(event.payload -> 'state') when 'object' then event.payload -> 'state' else '{}' end)
            as given (key, value) on stored.key = given.key
          where stored.value is distinct from given.value));
    end loop;
    if known <> '' then
      raise exception '% is refused: the contract of % has no such event', subject, event.aggregate
        using errcode = 'DC004', schema = 'public', table = '${OUTBOX_TABLE}', column = 'type', hint = format('Its events are: %s.', known);
    end if;
    if is_registered then
      raise exception '% is refused: its state is not what the row says by the contract; different: %', subject, different
        using errcode = 'DC004', schema = 'public', table = '${OUTBOX_TABLE}', column = 'payload', detail = different,
          hint = 'Let the database make the state. ' || in_one;
    end if;
  end $$;
`;

const GENERATE_CHECK = `
  create function generate_outbox_check() returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $generate$
  declare
    guarded record;
    branches text := '';
  begin
    for guarded in
      select *, (select string_agg(format('(%L, %s)', key, value), ', ' order by key) from jsonb_each_text(events) as types (key, value)) as types
        from public.guarded_tables natural left join (select * from public.${CONTRACTS_TABLE} where is_current) as contracts order by aggregate
    loop
      continue when guarded.types is null;
      branches := branches || format($branch$
        %1$s new.aggregate = %2$L then
          if new.payload -> 'state' = 'null' then
            perform from public.${DELETED_AGGREGATES_TABLE} where aggregate = %2$L and aggregate_id = new.aggregate_id
              and version = new.aggregate_version and xmin = pg_current_xact_id()::xid and (new.type, new.schema_version) in (%6$s)
              and not exists (select from %3$s as entity where entity.%4$I::text = new.aggregate_id);
          else
            perform from %3$s as entity where entity.%4$I = new.aggregate_id::%5$s and entity.%4$I::text = new.aggregate_id
              and entity.version = new.aggregate_version and entity.xmin = pg_current_xact_id()::xid
              and (new.type, new.schema_version) in (%6$s) and new.payload -> 'state' = %7$s;
          end if;
      $branch$, case branches when '' then 'if' else 'elsif' end, guarded.aggregate, guarded.entity, guarded.key_name,
        (select atttypid::regtype from pg_attribute where attrelid = guarded.entity and attname = guarded.key_name),
        guarded.types, guarded.state_sql);
    end loop;
    execute format($create$
      create or replace function public.outbox_check() returns trigger
      language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $check$
      begin
        %s
        if not found then
          perform public.outbox_recheck(new);
        end if;
        return null;
      end $check$
    $create$, case branches when '' then 'perform where false;' else branches || 'else perform where false; end if;' end);
    alter function public.outbox_check() owner to monolith_migration;
    revoke execute on function public.outbox_check() from public;
  end $generate$;
`;

const REGISTER_CONTRACT = `
  create function register_contract(aggregate text, events jsonb, state_sql text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  #variable_conflict use_column
  begin
    if not exists (select from public.${CONTRACTS_TABLE} as known where known.aggregate = register_contract.aggregate and is_current
        and known.events = register_contract.events and known.state_sql = register_contract.state_sql) then
      delete from public.${CONTRACTS_TABLE} as known where known.aggregate = register_contract.aggregate and not is_current;
      update public.${CONTRACTS_TABLE} as known set is_current = false where known.aggregate = register_contract.aggregate;
      insert into public.${CONTRACTS_TABLE} (aggregate, is_current, events, state_sql)
        values (register_contract.aggregate, true, register_contract.events, register_contract.state_sql);
    end if;
  end $$;
`;

// Reads the row with the rights of the caller.
const RAISE_EVENT = `
  create function raise_event(
    aggregate text, aggregate_id text, type text, change jsonb default '{}', correlation_id text default 'sql:' || session_user
  ) returns uuid
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  #variable_conflict use_variable
  declare
    event_id constant uuid := gen_random_uuid();
    guarded record;
    contract record;
    version integer;
    state jsonb;
  begin
    select g.entity, g.key_name into guarded from public.guarded_tables as g where g.aggregate = raise_event.aggregate;
    if not found then
      raise exception 'No guarded table holds "%"', aggregate using errcode = 'DC004',
        hint = format('The aggregates are: %s.', coalesce((select string_agg(g.aggregate, ', ' order by g.aggregate) from public.guarded_tables as g), 'none'));
    end if;
    select c.events, c.state_sql into contract from public.${CONTRACTS_TABLE} as c where c.aggregate = raise_event.aggregate and c.is_current;
    if not found then
      raise exception 'The contract of "%" is not registered', aggregate using errcode = 'DC004', hint = 'Run: npm run migrate';
    end if;
    if not contract.events ? type then
      raise exception 'The contract of % has no event "%"', aggregate, type using errcode = 'DC004',
        hint = format('Its events are: %s.', (select string_agg(key, ', ' order by key) from jsonb_object_keys(contract.events) as types (key)));
    end if;
    if jsonb_typeof(change) is distinct from 'object' then
      raise exception 'The change of "%" is no JSON object', type using errcode = 'DC004', hint = 'Pass what happened, e.g. ''{"reason": "..."}''.';
    end if;
    execute format('select version, %s from %s as entity where %I::text = $1 order by age(entity.xmin) limit 1', contract.state_sql, guarded.entity, guarded.key_name)
      into version, state using aggregate_id;
    if version is null then
      select d.version, 'null'::jsonb into version, state from public.${DELETED_AGGREGATES_TABLE} as d
        where d.aggregate = raise_event.aggregate and d.aggregate_id = raise_event.aggregate_id;
    end if;
    if version is null then
      raise exception 'There is no % "%"', aggregate, aggregate_id using errcode = 'DC004',
        hint = 'Change its row first, then raise the event in the same transaction.';
    end if;
    insert into public.${OUTBOX_TABLE} (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
      values (event_id, aggregate, aggregate_id, version, type, (contract.events ->> type)::integer,
              jsonb_build_object('change', change, 'state', state), correlation_id);
    return event_id;
  end $$;
`;
