/**
 * Modules are apart: each has its own role, which may change the module's own tables, and write and read the
 * outbox, the inbox and the deleted aggregates for the module's own aggregates and consumers only. `npm run
 * migrate` makes the roles and their policies from what the modules register (runtime/postgres/module-rights.ts).
 *
 * The owner, in whose rights the guard and the checks run, is not subject to row security. The roles of 0001 see
 * all rows of the tables that they had rights on; `monolith_application` is for legacy code that changes several
 * modules in one transaction.
 */
import type { MigrationBuilder } from "node-pg-migrate";
import { DELETED_AGGREGATES_TABLE, INBOX_TABLE, OUTBOX_TABLE } from "../names";

const SHARED_TABLES = [OUTBOX_TABLE, INBOX_TABLE, DELETED_AGGREGATES_TABLE];

/** Table -> the roles of 0001 that have rights on it. */
const SEE_ALL: Record<string, string> = {
  [OUTBOX_TABLE]: "monolith_application, monolith_capture, monolith_retention",
  [INBOX_TABLE]: "monolith_application, monolith_retention",
  [DELETED_AGGREGATES_TABLE]: "monolith_application",
};

export function up(pgm: MigrationBuilder): void {
  for (const table of SHARED_TABLES) {
    pgm.sql(`
      alter table ${table} enable row level security;
      do $$ begin
        create policy all_rows on ${table} to ${SEE_ALL[table] ?? ""} using (true) with check (true);
      exception when duplicate_object then null; end $$;
    `);
  }
  // A caller's temporary type "text" could shorten the payload that it measures.
  pgm.sql("alter function outbox_check_limits set search_path = pg_catalog, pg_temp");
}

export function down(pgm: MigrationBuilder): void {
  pgm.sql("alter function outbox_check_limits reset search_path");
  pgm.sql(DROP_MODULE_ROLES);
  for (const table of SHARED_TABLES) {
    pgm.sql(`
      drop policy all_rows on ${table};
      alter table ${table} disable row level security;
    `);
  }
}

// A role to which a login still belongs goes too; the login stays, without rights.
const DROP_MODULE_ROLES = `
  do $$
  declare
    module_policy record;
  begin
    for module_policy in
      select polname, rolname from pg_policy join pg_roles on pg_roles.oid = any (polroles)
        where polrelid = '${OUTBOX_TABLE}'::regclass and polname like 'module %'
    loop
      execute format('drop policy %I on ${OUTBOX_TABLE}', module_policy.polname);
      execute format('drop policy %I on ${INBOX_TABLE}', module_policy.polname);
      execute format('drop policy %I on ${DELETED_AGGREGATES_TABLE}', module_policy.polname);
      execute format('grant %I to %I', module_policy.rolname, current_user);
      execute format('drop owned by %I', module_policy.rolname);
      begin
        execute format('drop role %I', module_policy.rolname);
      exception
        when dependent_objects_still_exist or object_in_use then
          raise notice 'Role % is kept, since other databases of this cluster use it', module_policy.rolname;
      end;
    end loop;
  end $$;
`;
