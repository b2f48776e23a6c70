/**
 * The guard (0003), so that the other direction can be checked too (0007):
 *
 * - the last version of a removed aggregate is recorded by the removal itself and no longer at commit;
 * - a table is guarded only where every way to hold, find and change its rows is covered: an ordinary, permanent table
 *   without inheritance, partitions, rules and forced row security, whose key is compared byte by byte.
 *
 * Tables that are guarded already get the new guard.
 */
import type { MigrationBuilder } from "node-pg-migrate";
import { DELETED_AGGREGATES_TABLE, OUTBOX_TABLE } from "../names";
import * as earlier from "./0003_guard";

export function up(pgm: MigrationBuilder): void {
  for (const statement of [
    THIS_TRANSACTION,
    GUARDED_TABLES,
    LIFE,
    RECHECK,
    PROBLEM,
    GUARD_ENTITY_TABLE,
    UNGUARD,
  ])
    pgm.sql(statement);
  for (const name of ["is_this_transaction", "guard_life", "guard_problem"])
    pgm.sql(`alter function ${name} owner to monolith_migration`);
  pgm.sql("revoke execute on function guard_life from public");
  pgm.sql(GUARD_AGAIN);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql("drop function guard_life, guard_problem");
  for (const sql of [earlier.RECHECK, earlier.GUARD_ENTITY_TABLE, earlier.UNGUARD_ENTITY_TABLE])
    pgm.sql(sql.replace("create function", "create or replace function"));
  pgm.sql("drop view guarded_tables; drop function is_this_transaction");
}

// A row's xmin has 32 bits, so what can be told is its distance from this transaction's id. A row that is visible while
// its transaction is in progress can only be of this transaction or of a savepoint in it.
const THIS_TRANSACTION = `
  create function is_this_transaction(row_xmin xid) returns boolean
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
  declare
    this_transaction constant bigint := pg_current_xact_id()::text::bigint;
    distance constant bigint := ((row_xmin::text::bigint - (this_transaction & 4294967295) + 6442450944) & 4294967295) - 2147483648;
  begin
    return distance = 0
      or distance > 0 and pg_xact_status((this_transaction + distance)::text::xid8) = 'in progress';
  end $$;
`;

const GUARDED_TABLES = `
  -- A trigger's argument ends with a zero byte.
  create view guarded_tables as
    select tgrelid::regclass as entity,
           convert_from(substring(tgargs for octet_length(tgargs) - 1), 'UTF8') as aggregate,
           (select attname from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
             where indrelid = tgrelid and indisprimary) as key_name,
           tgfoid::regprocedure as guard
      from pg_trigger where tgname = 'guard_outbox' and not tgisinternal;
  alter view guarded_tables owner to monolith_migration;
  grant select on guarded_tables to monolith_application;
`;

// Runs at once, for removals and for creations that do not begin with version 1.
const LIFE = `
  create function guard_life() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  declare
    changed_aggregate constant text := tg_argv[0];
    changed_id text;
  begin
    if tg_op = 'DELETE' then
      changed_id := to_jsonb(old) ->> tg_argv[1];
      insert into public.${DELETED_AGGREGATES_TABLE} values (changed_aggregate, changed_id, old.version + 1) on conflict do nothing;
      if found then
        return null;
      end if;
      raise exception 'Table %: % "%" was removed before, and created again without going on from its last version',
          tg_relid::regclass, changed_aggregate, changed_id
        using errcode = 'DC001', table = tg_relid::regclass::text, column = 'version', constraint = 'guard_outbox';
    end if;
    changed_id := to_jsonb(new) ->> tg_argv[1];
    delete from public.${DELETED_AGGREGATES_TABLE}
      where aggregate = changed_aggregate and aggregate_id = changed_id and version = new.version - 1;
    if not found then
      perform public.guard_recheck(tg_relid, 'CREATE', changed_aggregate, null, changed_id, null, new.version);
    end if;
    return null;
  end $$;
`;

// The slow half of the check of a change, for what the fast half has not accepted.
const RECHECK = `
  create or replace function guard_recheck(
    entity regclass, operation text, changed_aggregate text, old_id text, changed_id text, old_version integer, changed_version integer
  ) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    last_version integer;
    event_xmin xid;
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

    if operation = 'CREATE' or operation = 'INSERT' and changed_version = 1 then
      -- Under repeatable read a deletion that was committed after the snapshot is invisible; but a unique index knows of it,
      -- and this fails with a serialization error.
      if current_setting('transaction_isolation') <> 'read committed' then
        insert into public.${DELETED_AGGREGATES_TABLE} values (changed_aggregate, changed_id, 1) on conflict do nothing;
        if found then
          delete from public.${DELETED_AGGREGATES_TABLE} where aggregate = changed_aggregate and aggregate_id = changed_id;
        end if;
      end if;
      -- What this transaction has removed again after its creation does not count.
      select version into last_version from public.${DELETED_AGGREGATES_TABLE}
        where aggregate = changed_aggregate and aggregate_id = changed_id
          and not (operation = 'INSERT' and version > changed_version and public.is_this_transaction(xmin));
      if changed_version <> coalesce(last_version, 0) + 1 then
        raise exception 'Table %: a new % "%" must have version %, not %',
            entity, changed_aggregate, changed_id, coalesce(last_version, 0) + 1, changed_version
          using errcode = 'DC001', table = entity::text, column = 'version', constraint = 'guard_outbox',
            hint = 'An aggregate begins with version 1, or with the one after its version in deleted_aggregates.';
      end if;
      if operation = 'CREATE' then
        return;
      end if;
    end if;

    -- Under repeatable read an older row that retention has just removed may be visible beside the new one.
    select xmin into event_xmin from public.${OUTBOX_TABLE}
      where aggregate = changed_aggregate and aggregate_id = changed_id and aggregate_version = changed_version
      order by public.is_this_transaction(xmin) desc limit 1;
    if not found then
      raise exception 'Table %: % "%" was changed to version % without an outbox row, so the transaction cannot commit',
          entity, changed_aggregate, changed_id, changed_version
        using errcode = 'DC001', table = entity::text, constraint = 'guard_outbox',
          hint = format(
            'Write through the runtime''s outbox, or raise the event after the change, in the same transaction: '
            'select raise_event(%L, %L, ''<event type>'', ''{<what happened>}'')', changed_aggregate, changed_id);
    end if;
    if not public.is_this_transaction(event_xmin) then
      raise exception 'Table %: the outbox row for version % of % "%" is of another transaction than the change',
          entity, changed_version, changed_aggregate, changed_id
        using errcode = 'DC001', table = entity::text, constraint = 'guard_outbox',
          hint = 'Write the change and its outbox row in one transaction: only then can neither be without the other.';
    end if;
  end $$;
`;

const PROBLEM = `
  create function guard_problem(entity regclass, key_name text) returns text
  language sql stable set search_path = pg_catalog, pg_temp as $$
    select case
      when relkind <> 'r' then 'is no ordinary table'
      when relpersistence <> 'p' then 'is not permanent: its rows can vanish without events'
      when relispartition or exists (select from pg_inherits where entity in (inhrelid, inhparent))
        then 'shares rows with other tables (inheritance, partitions), whose changes it does not see'
      when exists (select from pg_rewrite where ev_class = entity) then 'has a rule, which can turn a statement into another one'
      when relforcerowsecurity then 'forces row security on its owner, whom the guard reads as'
      when octet_length(relname) > 57 then 'has a name of more than 57 bytes, too long for the name of its guard'
      when not exists (select from pg_attribute where attrelid = entity and attname = 'version'
                         and atttypid = 'integer'::regtype and attnotnull and attgenerated = '' and not attisdropped)
        then 'needs a column "version integer not null"'
      when not exists (select from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
                         where indrelid = entity and indisprimary and indimmediate and indnkeyatts = 1 and attname = key_name)
        then format('needs a primary key of the one column "%s", not deferrable', key_name)
      when not exists (select from pg_attribute where attrelid = entity and attname = key_name and attgenerated = ''
                         and atttypid in ('uuid'::regtype, 'text'::regtype, 'varchar'::regtype, 'integer'::regtype, 'bigint'::regtype))
        then format('has a key "%s" whose text is not the same everywhere: take uuid, text, varchar, integer or bigint', key_name)
      when exists (select from pg_attribute join pg_collation on pg_collation.oid = attcollation
                     where attrelid = entity and attname = key_name and not collisdeterministic)
        then format('has a key "%s" of a collation by which different texts are equal', key_name)
    end from pg_class where oid = entity
  $$;
`;

const GUARD_ENTITY_TABLE = `
  create or replace function guard_entity_table(entity regclass, aggregate text, key_name text) returns void
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

    problem := coalesce(public.guard_problem(entity, key_name), case
      when aggregate !~ '^[^.]+[.][^.]+$' then format('cannot hold "%s": an aggregate is named <domain>.<Aggregate>', aggregate)
      when exists (select from public.guarded_tables where guarded_tables.entity = guard_entity_table.entity) then 'is guarded already'
      when exists (select from public.guarded_tables where guarded_tables.aggregate = guard_entity_table.aggregate)
        then format('cannot hold "%s": another table does', aggregate)
    end);
    if problem is not null then
      raise exception 'Table % cannot be guarded: it %', entity, problem using errcode = 'DC001';
    end if;

    execute format('alter table %s owner to monolith_migration', entity);

    -- Runs at commit for each changed row. enable_seqscan is off, since a plan that was made while the outbox was small would
    -- read it whole later.
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
          -- guard_life has checked the version where it is not 1.
          perform from public.${OUTBOX_TABLE}
            where aggregate = %2$L and aggregate_id = new.%3$I::text and aggregate_version = new.version
              and xmin = pg_current_xact_id()::xid
              and (new.version > 1 or current_setting('transaction_isolation') = 'read committed'
                and not exists (select from public.${DELETED_AGGREGATES_TABLE} where aggregate = %2$L and aggregate_id = new.%3$I::text));
          if not found then
            perform public.guard_recheck(tg_relid, tg_op, %2$L, null, new.%3$I::text, null, new.version);
          end if;
        else
          perform from public.${OUTBOX_TABLE}
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
      create trigger guard_removal after delete on %1$s
        for each row execute function public.guard_life(%3$L, %4$L);
      create trigger guard_creation after insert on %1$s
        for each row when (new.version <> 1) execute function public.guard_life(%3$L, %4$L);
      create trigger guard_truncate before truncate on %1$s
        for each statement execute function public.guard_refuse_truncate();
      alter table %1$s enable always trigger guard_outbox, enable always trigger guard_removal,
        enable always trigger guard_creation, enable always trigger guard_truncate;
    $create$, entity, guard, aggregate, key_name);
  end $$;
`;

const UNGUARD = `
  create or replace function unguard_entity_table(entity regclass) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    guard regprocedure;
    trigger_name text;
  begin
    select tgfoid into guard from pg_trigger where tgrelid = entity and tgname = 'guard_outbox';
    if not found then
      raise exception 'Table % is not guarded', entity using errcode = 'DC001';
    end if;
    foreach trigger_name in array array['guard_outbox', 'guard_removal', 'guard_creation', 'guard_truncate'] loop
      execute format('drop trigger if exists %I on %s', trigger_name, entity);
    end loop;
    execute format('drop function %s', guard);
  end $$;
`;

const GUARD_AGAIN = `
  do $$
  declare
    guarded record;
  begin
    for guarded in select * from guarded_tables order by aggregate loop
      perform unguard_entity_table(guarded.entity);
      perform guard_entity_table(guarded.entity, guarded.aggregate, guarded.key_name);
    end loop;
  end $$;
`;
