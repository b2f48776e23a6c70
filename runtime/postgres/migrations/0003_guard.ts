/**
 * The guard: a change of an entity table cannot commit without its event, whatever made it (the runtime, legacy
 * code, psql) and in whatever role. `select guard_entity_table('customers', 'customers.Customer', 'customer_id')`
 * adds it to a table that has a `version integer not null` and a primary key of one column; `select
 * unguard_entity_table('customers')` removes it. It refuses (errcode DC001) a commit
 *
 * - in which a changed row has no outbox row of its aggregate, id and version, inserted by the same transaction;
 * - in which an update does not raise the version by exactly one, or changes the key;
 * - in which an insert has a version other than 1 or, if the aggregate was deleted before, other than the next
 *   version;
 *
 * and TRUNCATE. Each table gets its own trigger function with the names written in, so that an ordinary change
 * costs one call with one index probe. Measured on loopback with one connection: +50 us per update or deletion,
 * +60 us per insert, +14 us per row in a batch of 100; that is 11 to 14 % of the single statement that writes row
 * and event.
 */
import type { MigrationBuilder } from "node-pg-migrate";
import { DELETED_AGGREGATES_TABLE, OUTBOX_TABLE } from "../names";

export function up(pgm: MigrationBuilder): void {
  for (const statement of [REFUSE_TRUNCATE, RECHECK, GUARD_ENTITY_TABLE, UNGUARD_ENTITY_TABLE])
    pgm.sql(statement);
  pgm.sql(`
    revoke execute on function guard_recheck, guard_entity_table, unguard_entity_table from public;
    alter function guard_refuse_truncate owner to monolith_migration;
    alter function guard_recheck owner to monolith_migration;
    alter function guard_entity_table owner to monolith_migration;
    alter function unguard_entity_table owner to monolith_migration;
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql("drop function guard_entity_table, unguard_entity_table, guard_recheck, guard_refuse_truncate");
}

const REFUSE_TRUNCATE = `
  create function guard_refuse_truncate() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  begin
    raise exception 'Table % cannot be truncated: no event would tell of the rows that go', tg_relid::regclass
      using errcode = 'DC001', schema = tg_table_schema, table = tg_table_name,
        hint = 'Delete the rows, and insert an outbox row for each in the same transaction.';
  end $$;
`;

// The slow half of the check, for changes that the fast half has not accepted: it accepts those that are valid
// nevertheless (an outbox row of a savepoint, an aggregate that is created again) and otherwise reports what is
// wrong.
export const RECHECK = `
  create function guard_recheck(
    entity regclass, operation text, changed_aggregate text, old_id text, changed_id text, old_version integer, changed_version integer
  ) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    this_transaction bigint := pg_current_xact_id()::text::bigint;
    distance bigint;
    last_version integer;
  begin
    if old_id <> changed_id then
      raise exception 'Table %: the key of % "%" cannot change (to "%")', entity, changed_aggregate, old_id, changed_id
        using errcode = 'DC001', table = entity::text, constraint = 'guard_outbox',
          hint = 'Delete the aggregate and create another one: consumers know it by its key.';
    end if;
    if operation = 'UPDATE' and changed_version is distinct from old_version + 1 then
      raise exception 'Table %: an update of % "%" must take its version from % to %, not to %',
          entity, changed_aggregate, changed_id, old_version, old_version + 1, changed_version
        using errcode = 'DC001', table = entity::text, column = 'version', constraint = 'guard_outbox',
          hint = 'Write "version = version + 1" in the update, once per row and outbox row.';
    end if;

    if operation = 'INSERT' then
      -- Under repeatable read a deletion that was committed after the snapshot is invisible; but a unique index knows of it,
      -- and this fails with a serialization error.
      if current_setting('transaction_isolation') <> 'read committed' then
        insert into public.${DELETED_AGGREGATES_TABLE} values (changed_aggregate, changed_id, 1) on conflict do nothing;
        if found then
          delete from public.${DELETED_AGGREGATES_TABLE} where aggregate = changed_aggregate and aggregate_id = changed_id;
        end if;
      end if;
      select version into last_version from public.${DELETED_AGGREGATES_TABLE}
        where aggregate = changed_aggregate and aggregate_id = changed_id;
      if changed_version <> coalesce(last_version, 0) + 1 then
        raise exception 'Table %: a new % "%" must have version %, not %',
            entity, changed_aggregate, changed_id, coalesce(last_version, 0) + 1, changed_version
          using errcode = 'DC001', table = entity::text, column = 'version', constraint = 'guard_outbox',
            hint = 'An aggregate begins with version 1, or with the one after its version in deleted_aggregates.';
      end if;
      delete from public.${DELETED_AGGREGATES_TABLE} where aggregate = changed_aggregate and aggregate_id = changed_id;
    end if;

    -- xmin has 32 bits, so what can be told is its distance from this transaction's id. (Under repeatable read an older row
    -- that retention has just removed may be visible beside the new one.)
    select max(((xmin::text::bigint - (this_transaction & 4294967295) + 6442450944) & 4294967295) - 2147483648) into distance
      from public.${OUTBOX_TABLE} where aggregate = changed_aggregate and aggregate_id = changed_id and aggregate_version = changed_version;
    if distance is null then
      raise exception 'Table %: % "%" was changed to version % without an outbox row, so the transaction cannot commit',
          entity, changed_aggregate, changed_id, changed_version
        using errcode = 'DC001', table = entity::text, constraint = 'guard_outbox',
          hint = format(
            'Write through the runtime''s outbox, or insert the outbox row in the same transaction: insert into ${OUTBOX_TABLE} '
            '(id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id) values '
            '(gen_random_uuid(), %L, %L, %s, ''<event type>'', 1, %L, ''<who and why>'')',
            changed_aggregate, changed_id, changed_version,
            case operation when 'DELETE' then '{"change": {}, "state": null}' else '{"change": {}, "state": {...}}' end);
    end if;
    -- A row that is visible here while its transaction is in progress can only be of this transaction or a savepoint in it.
    if distance < 0 or pg_xact_status((this_transaction + distance)::text::xid8) <> 'in progress' then
      raise exception 'Table %: the outbox row for version % of % "%" is of another transaction than the change',
          entity, changed_version, changed_aggregate, changed_id
        using errcode = 'DC001', table = entity::text, constraint = 'guard_outbox',
          hint = 'Write the change and its outbox row in one transaction: only then can neither be without the other.';
    end if;

    if operation = 'DELETE' then
      insert into public.${DELETED_AGGREGATES_TABLE} values (changed_aggregate, changed_id, changed_version);
    end if;
  end $$;
`;

export const GUARD_ENTITY_TABLE = `
  create function guard_entity_table(entity regclass, aggregate text, key_name text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    table_name text;
    schema_name text;
    guard text; -- the qualified name of the table's trigger function
    problem text;
  begin
    select relname, nspname into table_name, schema_name
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = entity;
    guard := format('%I.%I', schema_name, 'guard_' || table_name);

    problem := case
      when (select relkind from pg_class where oid = entity) <> 'r' then 'is no ordinary table'
      when aggregate !~ '^[^.]+[.][^.]+$' then format('cannot hold "%s": an aggregate is named <domain>.<Aggregate>', aggregate)
      when octet_length(table_name) > 57 then 'has a name of more than 57 bytes, too long for the name of its guard'
      when exists (select from pg_trigger where tgrelid = entity and tgname = 'guard_outbox') then 'is guarded already'
      when exists (select from pg_trigger where tgname = 'guard_outbox' and tgargs = convert_to(aggregate, 'UTF8') || '\\x00'::bytea)
        then format('cannot hold "%s": another table does', aggregate)
      when not exists (select from pg_attribute where attrelid = entity and attname = 'version'
                         and atttypid = 'integer'::regtype and attnotnull and not attisdropped)
        then 'needs a column "version integer not null"'
      when not exists (select from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
                         where indrelid = entity and indisprimary and indnkeyatts = 1 and attname = key_name)
        then format('needs a primary key of the one column "%s"', key_name)
      when not exists (select from pg_attribute where attrelid = entity and attname = key_name
                         and atttypid in ('uuid'::regtype, 'text'::regtype, 'varchar'::regtype, 'integer'::regtype, 'bigint'::regtype))
        then format('has a key "%s" whose text is not the same everywhere: take uuid, text, varchar, integer or bigint', key_name)
    end;
    if problem is not null then
      raise exception 'Table % cannot be guarded: it %', entity, problem using errcode = 'DC001';
    end if;

    execute format('alter table %s owner to monolith_migration', entity);

    -- Runs at commit for each changed row, in the order of the changes. So deleted_aggregates always holds what is deleted at
    -- that point: a deletion leaves its version there, the next creation takes it up. enable_seqscan is off, since a plan that
    -- was made while the outbox was small would read it whole later.
    execute format($create$
      create function %1$s() returns trigger
      language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $guard$
      begin
        if tg_op = 'UPDATE' then
          perform from public.${OUTBOX_TABLE}
            where aggregate = %2$L and aggregate_id = new.%3$I::text and aggregate_version = new.version
              and xmin = pg_current_xact_id()::xid and new.version = old.version + 1 and new.%3$I = old.%3$I;
          if not found then
            perform public.guard_recheck(tg_relid, tg_op, %2$L, old.%3$I::text, new.%3$I::text, old.version, new.version);
          end if;
        elsif tg_op = 'INSERT' then
          perform from public.${OUTBOX_TABLE}
            where aggregate = %2$L and aggregate_id = new.%3$I::text and aggregate_version = new.version
              and xmin = pg_current_xact_id()::xid and new.version = 1
              and current_setting('transaction_isolation') = 'read committed'
              and not exists (select from public.${DELETED_AGGREGATES_TABLE} where aggregate = %2$L and aggregate_id = new.%3$I::text);
          if not found then
            perform public.guard_recheck(tg_relid, tg_op, %2$L, null, new.%3$I::text, null, new.version);
          end if;
        else
          insert into public.${DELETED_AGGREGATES_TABLE}
            select aggregate, aggregate_id, aggregate_version from public.${OUTBOX_TABLE}
              where aggregate = %2$L and aggregate_id = old.%3$I::text and aggregate_version = old.version + 1
                and xmin = pg_current_xact_id()::xid;
          if not found then
            perform public.guard_recheck(tg_relid, tg_op, %2$L, null, old.%3$I::text, old.version, old.version + 1);
          end if;
        end if;
        return null;
      end $guard$
    $create$, guard, aggregate, key_name);
    execute format('revoke execute on function %s() from public', guard);
    execute format('alter function %s() owner to monolith_migration', guard);

    -- The argument of guard_outbox says what the table holds. "enable always": session_replication_role does not switch it off.
    execute format($create$
      create constraint trigger guard_outbox after insert or update or delete on %1$s
        deferrable initially deferred for each row execute function %2$s(%3$L);
      create trigger guard_truncate before truncate on %1$s
        for each statement execute function public.guard_refuse_truncate();
      alter table %1$s enable always trigger guard_outbox, enable always trigger guard_truncate;
    $create$, entity, guard, aggregate);
  end $$;
`;

export const UNGUARD_ENTITY_TABLE = `
  create function unguard_entity_table(entity regclass) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    guard regprocedure;
  begin
    select tgfoid into guard from pg_trigger where tgrelid = entity and tgname = 'guard_outbox';
    if not found then
      raise exception 'Table % is not guarded', entity using errcode = 'DC001';
    end if;
    execute format('drop trigger guard_outbox on %1$s; drop trigger guard_truncate on %1$s; drop function %2$s', entity, guard);
  end $$;
`;
