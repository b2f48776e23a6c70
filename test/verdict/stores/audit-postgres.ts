import { Client, escapeIdentifier, escapeLiteral } from "pg";
import type { AggregateFacts, Landscape } from "../facts";

/**
 * Records every change of the monolith's entity tables, independently of the program: a trigger records it in
 * the change's transaction, in a separate schema. So the committed changes are known, whatever the outbox
 * says. Another trigger records the transaction that inserted each outbox row.
 *
 * @param adminUrl a superuser's URL of the migrated database, before anything is written to it
 */
export async function installAudit(adminUrl: string, { aggregates }: Landscape): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(`begin; ${SCHEMA} ${aggregates.map(triggerOf).join(" ")} commit`);
  } finally {
    await client.end();
  }
}

// The sequence advances while the row is locked, so it gives the order of the changes of one row. "security
// definer", because a role that may change the table has no rights on this schema.
const SCHEMA = `
  create schema verdict_audit;
  create table verdict_audit.changes (
    seq bigint generated always as identity primary key,
    table_name text not null,
    operation text not null,
    key text not null,
    old_version integer,
    new_version integer,
    new_row jsonb,
    transaction text not null
  );
  create table verdict_audit.outbox_rows (id uuid not null, transaction text not null);

  create function verdict_audit.record_change() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  declare
    old_row jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    new_row jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  begin
    insert into verdict_audit.changes (table_name, operation, key, old_version, new_version, new_row, transaction)
    values (tg_table_name, lower(tg_op), coalesce(new_row, old_row) ->> tg_argv[0],
      (old_row ->> 'version')::integer, (new_row ->> 'version')::integer, new_row, pg_current_xact_id()::text);
    return null;
  end $$;

  create function verdict_audit.record_outbox_row() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
  begin
    insert into verdict_audit.outbox_rows values (new.id, pg_current_xact_id()::text);
    return null;
  end $$;

  create trigger verdict_audit after insert on public.outbox
    for each row execute function verdict_audit.record_outbox_row();
  alter table public.outbox enable always trigger verdict_audit;
`;

function triggerOf({ store, table, key }: AggregateFacts): string {
  if (store !== "postgres") return "";
  const name = `public.${escapeIdentifier(table)}`;
  return `
    create trigger verdict_audit after insert or update or delete on ${name}
      for each row execute function verdict_audit.record_change(${escapeLiteral(key)});
    alter table ${name} enable always trigger verdict_audit;`;
}
