import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, escapeIdentifier } from "pg";
import { describe, expect, test } from "vitest";
import { migrateDown, migrateUp, type Sequence } from "../../../../dist/runtime/postgres/migrate.js";
import { FIXTURE_MIGRATIONS, FRAMEWORK_MIGRATIONS } from "../../../support/postgres/fixture-migrations.js";
import { connect, freshDatabase, sharedPostgres } from "../../../support/postgres/postgres.js";

const FRAMEWORK = FRAMEWORK_MIGRATIONS.map((name) => ({ sequence: "framework", name }));
const DOMAINS = ["0001_members", "0002_members_by_city"].map((name) => ({ sequence: "domains", name }));
const ALL = [...FRAMEWORK, ...DOMAINS];

const up = (databaseUrl: string, domainMigrations = FIXTURE_MIGRATIONS) =>
  migrateUp({ databaseUrl, domainMigrations, domains: [] });
const down = (databaseUrl: string, sequence: Sequence, count: number, report?: (line: string) => void) =>
  migrateDown({
    databaseUrl,
    domainMigrations: FIXTURE_MIGRATIONS,
    sequence,
    count,
    ...(report && { report }),
  });
const downAll = async (databaseUrl: string, report?: (line: string) => void) => [
  ...(await down(databaseUrl, "domains", DOMAINS.length, report)),
  ...(await down(databaseUrl, "framework", FRAMEWORK.length, report)),
];

test("four runs in a row migrate once", async () => {
  const { url } = await freshDatabase({ migrated: false });
  expect(await up(url)).toEqual(ALL);
  for (let time = 0; time < 3; time += 1) expect(await up(url)).toEqual([]);
});

test("ten runs of one database at once migrate once, and none fails", async () => {
  const { url } = await freshDatabase({ migrated: false });
  const runs = await Promise.all(Array.from({ length: 10 }, () => up(url)));
  expect(runs.filter((names) => names.length > 0)).toEqual([ALL]);
});

test("several databases of one cluster can be migrated at the same time", async () => {
  const databases = await Promise.all(Array.from({ length: 4 }, () => freshDatabase({ migrated: false })));
  const runs = await Promise.all(databases.map(({ url }) => up(url)));
  expect(runs).toEqual([ALL, ALL, ALL, ALL]);
});

test("down undoes everything and up does it again, with the same schema", async () => {
  const { url, name } = await freshDatabase({ migrated: false });
  const client = await connect(url);
  await up(url);
  const migrated = await describeSchema(client);

  expect(await downAll(url)).toEqual([...[...DOMAINS].reverse(), ...[...FRAMEWORK].reverse()]);
  expect(await describeSchema(client)).toEqual([
    "table domain_consistency_migrations",
    "table domain_migrations",
  ]);
  const slots = await client.query("select from pg_replication_slots where slot_name = $1", [
    `${name}_outbox`,
  ]);
  expect(slots.rowCount).toBe(0);

  expect(await up(url)).toEqual(ALL);
  expect(await describeSchema(client)).toEqual(migrated);
  expect(migrated).toContain("function guard_members");
});

test("down of the newest migration leaves the others", async () => {
  const { url } = await freshDatabase({ migrated: false });
  await up(url);
  expect(await down(url, "domains", 1)).toEqual([DOMAINS[1]]);
  expect(await up(url)).toEqual([DOMAINS[1]]);
});

test("the framework's migrations are not undone under the teams' tables", async () => {
  const { url } = await freshDatabase({ migrated: false });
  await up(url);
  await expect(down(url, "framework", 1)).rejects.toMatchObject({
    code: "FRAMEWORK_IN_USE",
    message:
      "2 migration(s) of the domains are still applied, and their tables need the framework's. Undo those first (--down 2).",
  });
  expect(await up(url)).toEqual([]);
});

test("down keeps a role that another database of the cluster uses, and says so", async () => {
  await up((await freshDatabase({ migrated: false })).url);
  const { url } = await freshDatabase({ migrated: false });
  await up(url);
  const lines: string[] = [];
  await downAll(url, (line) => lines.push(line));
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
  await migrateUp({
    databaseUrl: url,
    domainMigrations: FIXTURE_MIGRATIONS,
    domains: [],
    report: (line) => lines.push(line),
  });
  expect(lines).toEqual(ALL.map(({ sequence, name }) => `Migrating ${sequence}/${name}`));
});

describe("two sequences", () => {
  test("a project without migrations of its own has the framework's", async () => {
    const { url } = await freshDatabase({ migrated: false });
    expect(await up(url, join(tmpdir(), "no-such-folder"))).toEqual(FRAMEWORK);
  });

  test("a team's migration that comes later leaves the framework's sequence alone, and the other way round", async () => {
    const { url } = await freshDatabase({ migrated: false });
    await up(url, join(tmpdir(), "no-such-folder"));
    expect(await up(url)).toEqual(DOMAINS);
    const client = await connect(url);
    await client.query("delete from domain_consistency_migrations where name >= '0007_truthful_events'");
    await client.query("drop function outbox_check cascade");
    await client.query(
      "drop function raise_event, outbox_recheck, generate_outbox_check, register_contract; drop table registered_contracts",
    );
    expect(await up(url)).toEqual(FRAMEWORK.slice(6));
  });

  test("a database that another program migrates with node-pg-migrate keeps that program's table", async () => {
    const { url } = await freshDatabase({ migrated: false });
    const client = await connect(url);
    await client.query(`
      create table pgmigrations (id serial primary key, name varchar(255) not null, run_on timestamp not null);
      insert into pgmigrations (name, run_on) values ('0001_initial', now()), ('0002_outbox', now())`);
    const before = await client.query("select * from pgmigrations order by id");
    expect(await up(url)).toEqual(ALL);
    expect(await up(url)).toEqual([]);
    expect((await client.query("select * from pgmigrations order by id")).rows).toEqual(before.rows);
  });

  test("a file that is not named like a migration is refused before anything is migrated", async () => {
    const { url } = await freshDatabase({ migrated: false });
    await up(url, join(tmpdir(), "no-such-folder"));
    const folder = mkdtempSync(join(tmpdir(), "migrations-"));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "1_suppliers.js"), "exports.up = () => {};");
    await expect(up(url, folder)).rejects.toMatchObject({
      code: "MIGRATION_MISNAMED",
      message:
        'The migration "1_suppliers.ts" is not named like "0001_customers.ts": four digits, then lower case letters, ' +
        "digits, _ and -. Rename it. Nothing was migrated.",
    });
  });
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
    expect(await up(asOperator)).toEqual(ALL);
    const owners = await (
      await connect(url)
    ).query("select distinct tableowner from pg_tables where schemaname = 'public'");
    expect(owners.rows).toEqual([{ tableowner: "monolith_migration" }]);
    expect(await downAll(asOperator)).toHaveLength(ALL.length);
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
    await expect(up(Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href)).rejects.toMatchObject({
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
  await up(url);
  await down(url, "domains", DOMAINS.length);
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
    await expect(down(url, "framework", FRAMEWORK.length - 3)).rejects.toThrow(
      /Slot ".+_outbox" is being read by process \d+. Stop the DMS task \(or the local capture\) first/,
    );
  } finally {
    await reader.end();
    await reading;
  }
});

test("a database that cannot be reached is an error of its own", async () => {
  await expect(up("postgresql://nobody@127.0.0.1:1/nothing")).rejects.toMatchObject({
    code: "DATABASE_UNREACHABLE",
    message: 'Cannot connect to database "nothing" to migrate it: connect ECONNREFUSED 127.0.0.1:1',
  });
});

async function describeSchema(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ object: string }>(`
    select 'table ' || relname as object from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
    union all select format('column %s.%s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull)
      from pg_attribute join pg_class on pg_class.oid = attrelid
      where relkind = 'r' and relnamespace = 'public'::regnamespace and attnum > 0 and relname not like '%migrations'
    union all select 'function ' || proname from pg_proc where pronamespace = 'public'::regnamespace
    union all select format('trigger %s on %s %s', tgname, tgrelid::regclass, tgenabled) from pg_trigger where not tgisinternal
    union all select 'schema ' || nspname from pg_namespace where nspname = 'awsdms'
    union all select 'publication ' || pubname from pg_publication
    union all select format('grant %s on %s to %s', privilege_type, table_name, grantee) from information_schema.table_privileges
      where table_schema = 'public' and grantee like 'monolith%' and table_name not like '%migrations'
    order by 1`);
  return rows.map(({ object }) => object);
}
