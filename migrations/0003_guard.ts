/**
 * The guard: no change of an entity table is committed without its event, whoever makes it (the runtime, legacy code, psql)
 * and as whatever role. `select guard_entity_table('customers', 'customers.Customer', 'customer_id')` puts it on a table
 * that has a `version integer not null` and a primary key of one column; `select unguard_entity_table('customers')` takes
 * it off. It refuses (errcode DC001)
 *
 * - a commit in which a changed row has no outbox row of its aggregate, id and version, inserted by the same transaction;
 * - an update that does not raise the version by exactly one, or that changes the key;
 * - an insert whose version is not 1, or the next one where the aggregate was deleted before;
 * - TRUNCATE.
 *
 * Each table gets functions of its own with the names written in, and the checks that hardly ever fail are `when` clauses:
 * an ordinary change pays for one trigger call with one index probe.
 */
import type { MigrationBuilder } from "node-pg-migrate";

export function up(pgm: MigrationBuilder): void {
  for (const statement of [REFUSE_CHANGE, REFUSE_TRUNCATE, RECHECK, GUARD_ENTITY_TABLE, UNGUARD_ENTITY_TABLE])
    pgm.sql(statement);
  pgm.sql(`
    revoke execute on function guard_recheck, guard_entity_table, unguard_entity_table from public;
    alter function guard_refuse_change owner to monolith_migration;
    alter function guard_refuse_truncate owner to monolith_migration;
    alter function guard_recheck owner to monolith_migration;
    alter function guard_entity_table owner to monolith_migration;
    alter function unguard_entity_table owner to monolith_migration;
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(
    "drop function guard_entity_table, unguard_entity_table, guard_recheck, guard_refuse_change, guard_refuse_truncate",
  );
}

// Called by an AFTER UPDATE trigger whose `when` clause has found a wrong version or a changed key.
const REFUSE_CHANGE = `
  create function guard_refuse_change() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    aggregate text := tg_argv[0];
    old_key text := to_jsonb(old) ->> tg_argv[1];
    new_key text := to_jsonb(new) ->> tg_argv[1];
  begin
    if old_key is distinct from new_key then
      raise exception 'Table %: the key of % "%" cannot change (to "%")', tg_relid::regclass, aggregate, old_key, new_key
        using errcode = 'DC001', schema = tg_table_schema, table = tg_table_name, column = tg_argv[1],
          hint = 'Delete the aggregate and create another one: consumers know it by its key.';
    end if;
    raise exception 'Table %: an update of % "%" must take its version from % to %, not to %',
        tg_relid::regclass, aggregate, old_key, old.version, old.version + 1, new.version
      using errcode = 'DC001', schema = tg_table_schema, table = tg_table_name, column = 'version',
        hint = 'Write "version = version + 1" in the update, once per row and outbox row.';
  end $$;
`;

const REFUSE_TRUNCATE = `
  create function guard_refuse_truncate() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  begin
    raise exception 'Table % cannot be truncated: no event would tell of the rows that go', tg_relid::regclass
      using errcode = 'DC001', schema = tg_table_schema, table = tg_table_name,
        hint = 'Delete the rows, and insert an outbox row for each in the same transaction.';
  end $$;
`;

// The slow half of the check at commit, for what the fast half does not accept at once: it accepts what is right (an outbox
// row written inside a savepoint has the xid of its subtransaction) and otherwise says what is wrong.
const RECHECK = `
  create function guard_recheck(
    entity regclass, key_name text, operation text, changed_aggregate text, changed_id text, changed_version integer
  ) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    this_transaction bigint := pg_current_xact_id()::text::bigint;
    distance bigint;
    last_version integer;
    entity_exists boolean;
  begin
    -- xmin has 32 bits, so what can be told is its distance from this transaction's id. (Under repeatable read an older row
    -- that retention has just removed may be visible beside the new one.)
    select max(((xmin::text::bigint - (this_transaction & 4294967295) + 6442450944) & 4294967295) - 2147483648) into distance
      from public.outbox where aggregate = changed_aggregate and aggregate_id = changed_id and aggregate_version = changed_version;
    if distance is null then
      raise exception 'Table %: % "%" was changed to version % without an outbox row, so the transaction cannot commit',
          entity, changed_aggregate, changed_id, changed_version
        using errcode = 'DC001', table = entity::text, constraint = 'guard_outbox',
          hint = format(
            'Write through the runtime''s outbox, or insert the outbox row in the same transaction: insert into outbox '
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

    if operation = 'INSERT' and changed_version = 1 then
      -- Under repeatable read a deletion that was committed after the snapshot is invisible, but not to a unique index: this
      -- fails with a serialization error then.
      if current_setting('transaction_isolation') <> 'read committed' then
        insert into public.deleted_aggregates as deleted values (changed_aggregate, changed_id, 1) on conflict do nothing;
        if found then
          delete from public.deleted_aggregates where aggregate = changed_aggregate and aggregate_id = changed_id;
        end if;
      end if;
      select version into last_version from public.deleted_aggregates
        where aggregate = changed_aggregate and aggregate_id = changed_id;
      if found then
        execute format('select exists (select from %s where %I::text = $1)', entity, key_name) into entity_exists using changed_id;
        if entity_exists then -- else it was deleted by this very transaction, after its insert
          raise exception 'Table %: % "%" was deleted at version %, so it must be created again with version %, not 1',
              entity, changed_aggregate, changed_id, last_version, last_version + 1
            using errcode = 'DC001', table = entity::text, constraint = 'guard_outbox',
              hint = 'Insert it with the version after the one in deleted_aggregates: consumers ignore older ones.';
        end if;
      end if;
    end if;
  end $$;
`;

const GUARD_ENTITY_TABLE = `
  create function guard_entity_table(entity regclass, aggregate text, key_name text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    table_name text;
    schema_name text;
    part text;
    problem text;
  begin
    select relname, nspname into table_name, schema_name
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = entity;

    problem := case
      when (select relkind from pg_class where oid = entity) <> 'r' then 'is no ordinary table'
      when aggregate !~ '^[^.]+[.][^.]+$' then format('cannot hold "%s": an aggregate is named <domain>.<Aggregate>', aggregate)
      when octet_length(table_name) > 50 then 'has a name of more than 50 bytes, too long for the names of its guards'
      when exists (select from pg_trigger where tgrelid = entity and tgname = 'guard_outbox') then 'is guarded already'
      when exists (select from pg_trigger where tgname = 'guard_outbox'
                     and position(convert_to(aggregate, 'UTF8') || '\\x00'::bytea in tgargs) = 1)
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

    -- At commit: an ordinary change is accepted by one index probe. enable_seqscan is off, since a plan that was made while
    -- the outbox was small would otherwise read it whole later.
    execute format($create$
      create function %1$I.%2$I() returns trigger
      language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $guard$
      begin
        if tg_op = 'UPDATE' then
          perform from public.outbox where aggregate = %3$L and aggregate_id = new.%4$I::text
            and aggregate_version = new.version and xmin = pg_current_xact_id()::xid;
          if not found then
            perform public.guard_recheck(tg_relid, %4$L, tg_op, %3$L, new.%4$I::text, new.version);
          end if;
        elsif tg_op = 'INSERT' then
          perform from public.outbox where aggregate = %3$L and aggregate_id = new.%4$I::text
            and aggregate_version = new.version and xmin = pg_current_xact_id()::xid
            and current_setting('transaction_isolation') = 'read committed'
            and not exists (
              select from public.deleted_aggregates where aggregate = %3$L and aggregate_id = new.%4$I::text);
          if not found then
            perform public.guard_recheck(tg_relid, %4$L, tg_op, %3$L, new.%4$I::text, new.version);
          end if;
        else
          perform from public.outbox where aggregate = %3$L and aggregate_id = old.%4$I::text
            and aggregate_version = old.version + 1 and xmin = pg_current_xact_id()::xid;
          if not found then
            perform public.guard_recheck(tg_relid, %4$L, tg_op, %3$L, old.%4$I::text, old.version + 1);
          end if;
        end if;
        return null;
      end $guard$
    $create$, schema_name, 'guard_' || table_name || '_outbox', aggregate, key_name);

    -- At once, for the rare halves of an aggregate's life: its deletion leaves its last version behind, which its next
    -- creation takes up. So deleted_aggregates holds exactly what is deleted at present.
    execute format($create$
      create function %1$I.%2$I() returns trigger
      language plpgsql security definer set search_path = pg_catalog, pg_temp as $guard$
      declare
        last_version integer;
      begin
        if tg_op = 'DELETE' then
          insert into public.deleted_aggregates values (%3$L, old.%4$I::text, old.version + 1) on conflict do nothing;
          if not found then
            raise exception 'Table %%: %% "%%" was deleted before and was not created again with the version after that',
                tg_relid::regclass, %3$L, old.%4$I
              using errcode = 'DC001', table = tg_table_name, hint = 'See its row in deleted_aggregates.';
          end if;
          return null;
        end if;
        delete from public.deleted_aggregates
          where aggregate = %3$L and aggregate_id = new.%4$I::text and version = new.version - 1;
        if not found then
          select version into last_version from public.deleted_aggregates
            where aggregate = %3$L and aggregate_id = new.%4$I::text;
          raise exception 'Table %%: a new %% "%%" must have version %%, not %%',
              tg_relid::regclass, %3$L, new.%4$I, coalesce(last_version, 0) + 1, new.version
            using errcode = 'DC001', table = tg_table_name, column = 'version',
              hint = 'An aggregate begins with version 1, or with the one after its version in deleted_aggregates.';
        end if;
        return null;
      end $guard$
    $create$, schema_name, 'guard_' || table_name || '_life', aggregate, key_name);

    foreach part in array array['_outbox', '_life'] loop
      execute format('revoke execute on function %I.%I from public', schema_name, 'guard_' || table_name || part);
      execute format('alter function %I.%I owner to monolith_migration', schema_name, 'guard_' || table_name || part);
    end loop;

    -- The arguments of guard_outbox say what the table holds. "enable always": session_replication_role does not switch them off.
    execute format($create$
      create constraint trigger guard_outbox after insert or update or delete on %1$s
        deferrable initially deferred for each row execute function %2$I.%3$I(%5$L, %6$L);
      create trigger guard_creation after insert on %1$s
        for each row when (new.version <> 1) execute function %2$I.%4$I();
      create trigger guard_deletion after delete on %1$s
        for each row execute function %2$I.%4$I();
      create trigger guard_change after update on %1$s
        for each row when (new.version is distinct from old.version + 1 or new.%7$I::text is distinct from old.%7$I::text)
        execute function public.guard_refuse_change(%5$L, %6$L);
      create trigger guard_truncate before truncate on %1$s
        for each statement execute function public.guard_refuse_truncate();
      alter table %1$s enable always trigger guard_outbox, enable always trigger guard_creation,
        enable always trigger guard_deletion, enable always trigger guard_change, enable always trigger guard_truncate;
    $create$, entity, schema_name, 'guard_' || table_name || '_outbox', 'guard_' || table_name || '_life', aggregate, key_name, key_name);
  end $$;
`;

const UNGUARD_ENTITY_TABLE = `
  create function unguard_entity_table(entity regclass) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    table_name text;
    schema_name text;
  begin
    select relname, nspname into table_name, schema_name
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = entity;
    if not exists (select from pg_trigger where tgrelid = entity and tgname = 'guard_outbox') then
      raise exception 'Table % is not guarded', entity using errcode = 'DC001';
    end if;
    execute format($drop$
      drop trigger guard_outbox on %1$s;
      drop trigger guard_creation on %1$s;
      drop trigger guard_deletion on %1$s;
      drop trigger guard_change on %1$s;
      drop trigger guard_truncate on %1$s;
      drop function %2$I.%3$I;
      drop function %2$I.%4$I;
    $drop$, entity, schema_name, 'guard_' || table_name || '_outbox', 'guard_' || table_name || '_life');
  end $$;
`;
