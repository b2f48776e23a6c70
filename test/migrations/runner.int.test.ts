import { randomBytes } from "node:crypto";
import { Client, escapeIdentifier } from "pg";
import { expect, test } from "vitest";
import { migrateDown, migrateUp } from "../../dist/migrations/runner.js";
import { connect, freshDatabase, sharedPostgres } from "../support/postgres.js";

const ALL = ["0001_roles", "0002_outbox", "0003_guard", "0004_customers", "0005_products", "0006_capture"];

test("four runs in a row migrate once", async () => {
  const { url } = await freshDatabase({ migrated: false });
  expect(await migrateUp({ databaseUrl: url })).toEqual(ALL);
  for (let time = 0; time < 3; time += 1) expect(await migrateUp({ databaseUrl: url })).toEqual([]);
});

test("ten runs of one database at once migrate once, and none fails", async () => {
  const { url } = await freshDatabase({ migrated: false });
  const runs = await Promise.all(Array.from({ length: 10 }, () => migrateUp({ databaseUrl: url })));
  expect(runs.filter((names) => names.length > 0)).toEqual([ALL]);
});

test("several databases of one cluster can be migrated at the same time", async () => {
  const databases = await Promise.all(Array.from({ length: 4 }, () => freshDatabase({ migrated: false })));
  const runs = await Promise.all(databases.map(({ url }) => migrateUp({ databaseUrl: url })));
  expect(runs).toEqual([ALL, ALL, ALL, ALL]);
});

test("down undoes everything and up does it again, with the same schema", async () => {
  const { url, name } = await freshDatabase({ migrated: false });
  const client = await connect(url);
  await migrateUp({ databaseUrl: url });
  const migrated = await describeSchema(client);

  expect(await migrateDown({ databaseUrl: url, count: ALL.length })).toEqual([...ALL].reverse());
  expect(await describeSchema(client)).toEqual(["table pgmigrations"]);
  const slots = await client.query("select from pg_replication_slots where slot_name = $1", [
    `${name}_outbox`,
  ]);
  expect(slots.rowCount).toBe(0);

  expect(await migrateUp({ databaseUrl: url })).toEqual(ALL);
  expect(await describeSchema(client)).toEqual(migrated);
  expect(migrated).toContain("function guard_customers");
});

test("down of the newest migration leaves the others", async () => {
  const { url } = await freshDatabase({ migrated: false });
  await migrateUp({ databaseUrl: url });
  expect(await migrateDown({ databaseUrl: url, count: 2 })).toEqual(["0006_capture", "0005_products"]);
  expect(await migrateUp({ databaseUrl: url })).toEqual(["0005_products", "0006_capture"]);
});

test("down keeps a role that another database of the cluster uses, and says so", async () => {
  await migrateUp({ databaseUrl: (await freshDatabase({ migrated: false })).url });
  const { url } = await freshDatabase({ migrated: false });
  await migrateUp({ databaseUrl: url });
  const lines: string[] = [];
  await migrateDown({ databaseUrl: url, count: ALL.length, report: (line) => lines.push(line) });
  expect(lines).toContain("Role monolith_migration is kept, since other databases of this cluster use it");
  const roles = await (
    await connect(url)
  ).query(
    "select rolname from pg_roles where rolname like 'monolith\\_%\\_%' is false and rolname like 'monolith%' order by 1",
  );
  expect(roles.rows.map(({ rolname }: { rolname: string }) => rolname)).toEqual([
    "monolith_application",
    "monolith_capture",
    "monolith_migration",
    "monolith_retention",
  ]);
});

test("each migration and each notice is reported", async () => {
  const { url } = await freshDatabase({ migrated: false });
  const lines: string[] = [];
  await migrateUp({ databaseUrl: url, report: (line) => lines.push(line) });
  expect(lines).toEqual(ALL.map((name) => `Migrating ${name}`));
});

test("a user without superuser rights can migrate, if it may create roles and replicate", async () => {
  const { adminUrl } = sharedPostgres();
  const admin = await connect(adminUrl);
  const user = `operator_${randomBytes(4).toString("hex")}`;
  await admin.query(`create role ${user} login createrole replication password 'operator'`);
  // The roles exist already and were made by somebody else, who lets this user administer them.
  for (const role of ["migration", "application", "capture", "retention"])
    await admin.query(`grant monolith_${role} to ${user} with admin option, set true, inherit true`);
  const { url, name } = await freshDatabase({ migrated: false });
  await admin.query(`alter database ${escapeIdentifier(name)} owner to ${user}`);
  const asOperator = Object.assign(new URL(url), { username: user, password: "operator" }).href;
  try {
    expect(await migrateUp({ databaseUrl: asOperator })).toEqual(ALL);
    const owners = await (
      await connect(url)
    ).query("select distinct tableowner from pg_tables where schemaname = 'public'");
    expect(owners.rows).toEqual([{ tableowner: "monolith_migration" }]);
    expect(await migrateDown({ databaseUrl: asOperator, count: ALL.length })).toHaveLength(ALL.length);
  } finally {
    await admin.query(`drop database if exists ${escapeIdentifier(name)} with (force)`);
    await admin.query(`drop owned by ${user}`);
    await admin.query(`drop role ${user}`);
  }
});

test("a database whose name makes no slot name is refused, with the remedy", async () => {
  const { adminUrl } = sharedPostgres();
  const admin = await connect(adminUrl);
  const name = `a${randomBytes(29).toString("hex")}`;
  await admin.query(`create database ${name}`);
  try {
    await expect(
      migrateUp({ databaseUrl: Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href }),
    ).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message:
        `Cannot migrate database "${name}" up: A slot cannot be named "${name}_outbox": a name has at most 63 of the characters ` +
        "a-z, 0-9 and _. Rename the database: at most 56 of these characters.",
    });
  } finally {
    await admin.query(`drop database ${name}`);
  }
});

test("down says who reads the slot rather than fail later", async () => {
  const { url, name } = await freshDatabase({ migrated: false });
  await migrateUp({ databaseUrl: url });
  const reader = new Client({ connectionString: url, replication: "database" } as never);
  reader.on("error", () => {});
  await reader.connect();
  const reading = reader.query(`START_REPLICATION SLOT ${name}_outbox LOGICAL 0/0`).catch(() => {});
  try {
    const client = await connect(url);
    await expect
      .poll(
        async () =>
          (
            await client.query("select from pg_replication_slots where active and slot_name = $1", [
              `${name}_outbox`,
            ])
          ).rowCount,
      )
      .toBe(1);
    await expect(migrateDown({ databaseUrl: url, count: 1 })).rejects.toThrow(
      /Slot ".+_outbox" is being read by process \d+. Stop the DMS task \(or the local capture\) first/,
    );
  } finally {
    await reader.end();
    await reading;
  }
});

test("a database that cannot be reached is an error of its own", async () => {
  await expect(migrateUp({ databaseUrl: "postgresql://nobody@127.0.0.1:1/nothing" })).rejects.toMatchObject({
    code: "DATABASE_UNREACHABLE",
    message: 'Cannot connect to database "nothing" to migrate it: connect ECONNREFUSED 127.0.0.1:1',
  });
});

async function describeSchema(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ object: string }>(`
    select 'table ' || relname as object from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
    union all select format('column %s.%s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull)
      from pg_attribute join pg_class on pg_class.oid = attrelid
      where relkind = 'r' and relnamespace = 'public'::regnamespace and attnum > 0 and relname <> 'pgmigrations'
    union all select 'function ' || proname from pg_proc where pronamespace = 'public'::regnamespace
    union all select format('trigger %s on %s %s', tgname, tgrelid::regclass, tgenabled) from pg_trigger where not tgisinternal
    union all select 'schema ' || nspname from pg_namespace where nspname = 'awsdms'
    union all select 'publication ' || pubname from pg_publication
    union all select format('grant %s on %s to %s', privilege_type, table_name, grantee) from information_schema.table_privileges
      where table_schema = 'public' and grantee like 'monolith%' and table_name <> 'pgmigrations'
    order by 1`);
  return rows.map(({ object }) => object);
}
