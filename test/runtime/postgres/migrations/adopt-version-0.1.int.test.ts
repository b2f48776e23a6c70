import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "pg";
import { expect, test } from "vitest";
import { migrateUp } from "../../../../dist/runtime/postgres/migrate.js";
import {
  FIXTURE_MIGRATIONS,
  FRAMEWORK_MIGRATIONS as FRAMEWORK,
} from "../../../support/postgres/fixture-migrations.js";
import { connect, freshDatabase } from "../../../support/postgres/postgres.js";

const up = (databaseUrl: string, domainMigrations = FIXTURE_MIGRATIONS) =>
  migrateUp({ databaseUrl, domainMigrations, domains: [] });

const SCRIPT = readFileSync(
  join(__dirname, "..", "..", "..", "fixtures", "version-0.1.sql"),
  "utf8",
).replaceAll(/select pg_create_logical_replication_slot[^;]*;/g, "");
const ROWS = `
  with customer as (
    insert into customers values ('7b0c0b1e-6f0a-4c6e-9a57-1f6d9a3c1f10', 'Ada', 'ada@example.org', 'London', null, 1) returning *
  ) insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
    select gen_random_uuid(), 'customers.Customer', customer_id, 1, 'CustomerRegistered', 1, '{"change": {}, "state": {}}', 'test'
      from customer;
  insert into inbox (consumer, message_id) values ('customers.commands', 'request 1')`;
const contents = async (client: Client) =>
  Object.fromEntries(
    await Promise.all(
      ["customers", "products", "outbox", "inbox", "deleted_aggregates"].map(async (table) => {
        const { rows } = await client.query(`select * from ${table}`);
        return [table, rows as unknown[]] as const;
      }),
    ),
  );
const recorded = async (client: Client, table: string) =>
  (await client.query<{ name: string }>(`select name from ${table} order by id`)).rows.map(
    ({ name }) => name,
  );
// What a project of 0.1 has after merging this version: the sample's migrations under their new names, and its own.
const folder = mkdtempSync(join(tmpdir(), "migrations-"));
for (const name of ["0001_customers", "0002_products", "0007_suppliers", "0008_invoices"])
  writeFileSync(join(folder, `${name}.js`), `exports.up = (pgm) => pgm.sql("create table t_${name} ()");`);

test("a database of version 0.1 moves over with all its rows, and goes on from where it was", async () => {
  const { url } = await freshDatabase({ migrated: false });
  const client = await connect(url);
  await client.query(SCRIPT);
  await client.query(ROWS);
  await client.query("insert into pgmigrations (name, run_on) values ('0007_suppliers', now())");
  const before = await contents(client);
  expect(before["customers"]).toHaveLength(1);

  expect(await up(url, folder)).toEqual([
    ...FRAMEWORK.slice(4).map((name) => ({ sequence: "framework", name })),
    { sequence: "domains", name: "0008_invoices" },
  ]);

  expect(await contents(client)).toEqual(before);
  expect(await recorded(client, "domain_consistency_migrations")).toEqual(FRAMEWORK);
  expect(await recorded(client, "domain_migrations")).toEqual([
    "0001_customers",
    "0002_products",
    "0007_suppliers",
    "0008_invoices",
  ]);
  expect((await client.query("select to_regclass('pgmigrations') as found")).rows).toEqual([{ found: null }]);
  expect(await up(url, folder)).toEqual([]);
  await expect(client.query("update customers set city = 'Paris', version = 2")).rejects.toMatchObject({
    code: "DC001",
  });
});

test("a database of version 0.1 that was left after the guard gets the rest", async () => {
  const { url, name } = await freshDatabase({ migrated: false });
  const client = await connect(url);
  await client.query(SCRIPT.slice(0, SCRIPT.indexOf("-- 0004_customers")));
  expect(await up(url)).toEqual([
    ...FRAMEWORK.slice(3).map((name) => ({ sequence: "framework", name })),
    { sequence: "domains", name: "0001_members" },
    { sequence: "domains", name: "0002_members_by_city" },
  ]);
  const slots = await client.query("select from pg_replication_slots where slot_name = $1", [
    `${name}_outbox`,
  ]);
  expect(slots.rowCount).toBe(1);
});

test("a database of version 0.1 is left as it was when the move fails", async () => {
  const { url } = await freshDatabase({ migrated: false });
  const client = await connect(url);
  await client.query(SCRIPT);
  await client.query("create table domain_migrations (unexpected integer)");
  await expect(up(url, folder)).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
  expect(await recorded(client, "pgmigrations")).toHaveLength(6);
  expect((await client.query("select to_regclass('domain_consistency_migrations') as found")).rows).toEqual([
    { found: null },
  ]);
});
