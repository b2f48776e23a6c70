/**
 * The roles of the monolith's database: `monolith_migration` owns every object, commands run as
 * `monolith_application`, change data capture reads as `monolith_capture`, and `monolith_retention` removes old
 * rows of the outbox and the inbox. They cannot log in: the operator gives each a login and a password (`alter
 * role monolith_application login password '...'`), or grants it to an existing login.
 *
 * Roles belong to the whole cluster, but each of its databases is migrated separately, perhaps at the same time.
 * So each statement here tolerates that the migration of another database has done the same, or is doing it.
 */
import type { MigrationBuilder } from "node-pg-migrate";
import { FRAMEWORK_MIGRATIONS_TABLE } from "../names";

export function up(pgm: MigrationBuilder): void {
  pgm.sql(CREATE_ROLES);
  pgm.sql(ALLOW_OWNERSHIP);
  pgm.sql(ALLOW_REPLICATION);
  pgm.sql(`
    revoke create on schema public from public;
    grant usage on schema public to monolith_migration, monolith_application, monolith_capture, monolith_retention;
    grant create on schema public to monolith_migration;
    alter table ${FRAMEWORK_MIGRATIONS_TABLE} owner to monolith_migration;
  `);
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql(DROP_ROLES);
}

const CREATE_ROLES = `
  do $$
  declare
    role_name text;
  begin
    foreach role_name in array array['monolith_migration', 'monolith_application', 'monolith_capture', 'monolith_retention'] loop
      begin
        execute format('create role %I nologin', role_name);
      exception
        when duplicate_object or unique_violation then null; -- another database of this cluster made it
      end;
    end loop;
  end $$;
`;

// A user that is not a superuser (RDS offers none) may transfer ownership only to roles of which it is a member.
const ALLOW_OWNERSHIP = `
  do $$
  declare
    role_name text;
  begin
    foreach role_name in array array['monolith_migration', 'monolith_application', 'monolith_capture', 'monolith_retention'] loop
      continue when pg_has_role(current_user, role_name, 'set') and pg_has_role(current_user, role_name, 'usage');
      begin
        execute format('grant %I to %I with set true, inherit true', role_name, current_user);
      exception
        when unique_violation or internal_error then null; -- migrating another database has granted it meanwhile
      end;
    end loop;
  end $$;
`;

// Reading a slot requires the replication attribute, or the role rds_replication on RDS and Aurora.
const ALLOW_REPLICATION = `
  do $$
  declare
    allowed boolean;
  begin
    select rolreplication into allowed from pg_roles where rolname = 'monolith_capture';
    if exists (select from pg_roles where rolname = 'rds_replication') then
      grant rds_replication to monolith_capture;
    elsif not allowed then
      for attempt in 1 .. 5 loop
        begin
          alter role monolith_capture replication;
          exit;
        exception
          when insufficient_privilege then
            raise warning 'Role monolith_capture has no replication right, since % may not give it', current_user
              using hint = 'Let a superuser run: alter role monolith_capture replication';
            exit;
          when internal_error then perform pg_sleep(0.05); -- "tuple concurrently updated" by another database's migration
        end;
      end loop;
    end if;
  exception
    when unique_violation or internal_error then null; -- migrating another database has granted it meanwhile
  end $$;
`;

// Objects that the roles own here are transferred to the migrating user (the table of migrations outlives this).
// Then the roles' privileges are dropped, and the roles themselves unless another database of the cluster still
// uses them.
const DROP_ROLES = `
  do $$
  declare
    role_name text;
  begin
    foreach role_name in array array['monolith_retention', 'monolith_capture', 'monolith_application', 'monolith_migration'] loop
      continue when not exists (select from pg_roles where rolname = role_name);
      execute format('reassign owned by %I to current_user', role_name);
      execute format('drop owned by %I', role_name);
      begin
        execute format('drop role %I', role_name);
      exception
        when dependent_objects_still_exist or object_in_use then
          raise notice 'Role % is kept, since other databases of this cluster use it', role_name;
        when undefined_object or internal_error then null; -- another database of this cluster drops it too
      end;
    end loop;
  end $$;
`;
