import type { Client } from "pg";
import { DOMAIN_MIGRATIONS_TABLE, FRAMEWORK_MIGRATIONS_TABLE } from "./names";

/** Version 0.1's name of a framework migration -> its name in the framework's sequence. */
const FRAMEWORK: Readonly<Record<string, string>> = {
  "0001_roles": "0001_roles",
  "0002_outbox": "0002_outbox",
  "0003_guard": "0003_guard",
  "0006_capture": "0004_capture",
};

/**
 * Version 0.1's name of a migration of the sample -> its name now. A team's own migrations keep their names.
 */
const SAMPLE: Readonly<Record<string, string>> = {
  "0004_customers": "0001_customers",
  "0005_products": "0002_products",
};

/**
 * Moves the migration records of a database that version 0.1 migrated: 0.1 recorded the framework's and the
 * teams' migrations in one table, with node-pg-migrate's default name. The migrated tables are the same. A
 * table `pgmigrations` of another program that uses node-pg-migrate is left unchanged.
 */
export async function adoptEarlierMigrations(client: Client): Promise<void> {
  await client.query("begin");
  try {
    if (await isOfVersion01(client)) {
      const { rows } = await client.query<{ name: string; run_on: Date }>(
        "select name, run_on from public.pgmigrations order by run_on, id",
      );
      for (const table of [FRAMEWORK_MIGRATIONS_TABLE, DOMAIN_MIGRATIONS_TABLE]) {
        // As node-pg-migrate creates it.
        await client.query(
          `create table public.${table} (id serial primary key, name varchar(255) not null, run_on timestamp not null)`,
        );
        await client.query(`alter table public.${table} owner to monolith_migration`);
      }
      for (const { name, run_on } of rows) {
        const framework = FRAMEWORK[name];
        await client.query(
          `insert into public.${framework ? FRAMEWORK_MIGRATIONS_TABLE : DOMAIN_MIGRATIONS_TABLE} (name, run_on) values ($1, $2)`,
          [framework ?? SAMPLE[name] ?? name, run_on],
        );
      }
      await client.query("drop table public.pgmigrations");
    }
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/** Only version 0.1 created `deleted_aggregates` in a migration recorded as 0002_outbox. */
async function isOfVersion01(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(`
    select to_regclass('public.pgmigrations') is not null and to_regclass('public.deleted_aggregates') is not null
       and to_regclass('public.${FRAMEWORK_MIGRATIONS_TABLE}') is null as found`);
  if (!rows[0]?.found) return false;
  const { rowCount } = await client.query("select from public.pgmigrations where name = '0002_outbox'");
  return rowCount === 1;
}
