/**
 * What change data capture needs: a publication of the outbox's inserts (for a reader that uses pgoutput), the
 * logical replication slot that AWS DMS reads with the plugin test_decoding, and a separate schema for DMS's
 * heartbeat table, so that capture needs no privileges on the schema that holds the data.
 *
 * The slot is created here, before any task starts, so that a first deployment loses nothing: every later commit
 * waits in it. A slot cannot be created in a transaction that has written. So this migration runs without one,
 * and every statement can be run again.
 */
import type { MigrationBuilder } from "node-pg-migrate";
import { HEARTBEAT_SCHEMA, OUTBOX_TABLE, PUBLICATION, SLOT_NAME_SQL } from "../names";

export function up(pgm: MigrationBuilder): void {
  pgm.noTransaction();
  pgm.sql(`
    do $$
    begin
      if not exists (select from pg_publication where pubname = '${PUBLICATION}') then
        create publication ${PUBLICATION} for table ${OUTBOX_TABLE} with (publish = 'insert');
      end if;
    end $$;
  `);
  pgm.sql(`create schema if not exists ${HEARTBEAT_SCHEMA} authorization monolith_capture`);
  pgm.sql(CHECK_SLOT);
  // Not in a function: inside PL/pgSQL, slot creation sometimes fails while other databases are being migrated
  // ("snapshot reference is not owned by resource owner", seen with PostgreSQL 17.10).
  pgm.sql(`
    select pg_create_logical_replication_slot(${SLOT_NAME_SQL}, 'test_decoding')
    where not exists (select from pg_replication_slots where slot_name = ${SLOT_NAME_SQL})
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.noTransaction();
  pgm.sql(DROP_SLOT);
  pgm.sql(`drop schema if exists ${HEARTBEAT_SCHEMA} cascade`);
  pgm.sql(`drop publication if exists ${PUBLICATION}`);
}

const CHECK_SLOT = `
  do $$
  declare
    slot constant text := ${SLOT_NAME_SQL};
    existing record;
  begin
    if slot !~ '^[a-z0-9_]{1,63}$' then
      raise exception 'A slot cannot be named "%": a name has at most 63 of the characters a-z, 0-9 and _', slot
        using errcode = 'invalid_name', hint = 'Rename the database: at most 56 of these characters.';
    end if;
    if current_setting('wal_level') <> 'logical' then
      raise exception 'The server''s wal_level is "%", and a logical slot needs "logical"', current_setting('wal_level')
        using errcode = 'object_not_in_prerequisite_state',
          hint = 'Set wal_level = logical (RDS and Aurora: rds.logical_replication = 1 in the parameter group) and restart.';
    end if;
    select plugin, database into existing from pg_replication_slots where slot_name = slot;
    if found and (existing.plugin is distinct from 'test_decoding' or existing.database is distinct from current_database()) then
      raise exception 'Slot "%" exists already, of plugin % and database %', slot, existing.plugin, existing.database
        using errcode = 'duplicate_object', hint = 'Drop it, or rename the database.';
    end if;
  end $$;
`;

const DROP_SLOT = `
  do $$
  declare
    slot constant text := ${SLOT_NAME_SQL};
    reader integer;
  begin
    select active_pid into reader from pg_replication_slots where slot_name = slot;
    if not found then
      return;
    end if;
    if reader is not null then
      raise exception 'Slot "%" is being read by process %', slot, reader
        using errcode = 'object_in_use', hint = 'Stop the DMS task (or the local capture) first.';
    end if;
    perform pg_drop_replication_slot(slot);
  end $$;
`;
