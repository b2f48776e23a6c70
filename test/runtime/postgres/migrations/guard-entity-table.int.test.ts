import type { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { connect, freshDatabase } from "../../../support/postgres/postgres.js";
import { transaction, VIOLATION } from "./guarded-member.js";

let superuser: Client;
let client: Client;

beforeAll(async () => {
  const database = await freshDatabase();
  superuser = await connect(database.url);
  client = await connect(database.as("monolith_application").url);
});

describe("the guard cannot be gone around", () => {
  test("a truncation is refused, also of a table that refers to it", async () => {
    await expect(superuser.query("truncate members")).rejects.toMatchObject({
      code: "DC001",
      message: "Table public.members cannot be truncated: no event would tell of the rows that go",
    });
    await superuser.query("create table base (id integer primary key)");
    await superuser.query(
      "create table referring (member_id uuid primary key references members, base_id integer references base)",
    );
    await expect(superuser.query("truncate base, referring, members")).rejects.toMatchObject(VIOLATION);
    await superuser.query("drop table referring, base");
  });

  test("a cascade from another table needs its events too", async () => {
    await superuser.query("create table regions (region text primary key)");
    await superuser.query(
      "create table shops (shop_id text primary key, region text references regions on delete cascade, version integer not null)",
    );
    await superuser.query("select guard_entity_table('shops', 'sales.Shop', 'shop_id')");
    await superuser.query("insert into regions values ('north')");
    await transaction(superuser, async () => {
      await superuser.query("insert into shops values ('s1', 'north', 1)");
      await superuser.query(
        `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
         values (gen_random_uuid(), 'sales.Shop', 's1', 1, 'X', 1, '{"change": {}, "state": {}}', 'test')`,
      );
    });
    await expect(superuser.query("delete from regions")).rejects.toMatchObject({
      message: expect.stringContaining('sales.Shop "s1" was changed to version 2') as string,
    });
    await superuser.query("select unguard_entity_table('shops')");
    await superuser.query("drop table shops, regions");
  });

  test("bulk copying is guarded", async () => {
    await expect(
      superuser.query(
        "create table copied as select * from members limit 0; insert into members select gen_random_uuid(), 'n', 'e@e', 'c', 0, null, 1 from generate_series(1, 3)",
      ),
    ).rejects.toMatchObject(VIOLATION);
  });

  test("the application can neither switch it off nor touch its memory", async () => {
    for (const statement of [
      "alter table members disable trigger all",
      "drop trigger guard_outbox on members",
      "set session_replication_role = replica",
      "truncate members",
      "create table mine (a integer)",
      "select unguard_entity_table('members')",
      "select guard_entity_table('members', 'a.B', 'member_id')",
      "select guard_recheck('members', 'INSERT', 'a', null, 'b', null, 1)",
      "insert into deleted_aggregates values ('members.Member', 'x', 9)",
      "update deleted_aggregates set version = 1",
      "delete from deleted_aggregates",
      "delete from outbox",
      "create function public.f() returns integer language sql as 'select 1'",
    ]) {
      await expect(client.query(statement), statement).rejects.toMatchObject({ code: "42501" });
    }
  });
});

describe("guard_entity_table", () => {
  test.each([
    [
      "create table t (id uuid primary key, version bigint not null)",
      "id",
      'it needs a column "version integer not null"',
    ],
    [
      "create table t (id uuid primary key, version integer)",
      "id",
      'it needs a column "version integer not null"',
    ],
    [
      "create table t (id uuid, version integer not null)",
      "id",
      'it needs a primary key of the one column "id", not deferrable',
    ],
    [
      "create table t (id uuid, b integer, version integer not null, primary key (id, b))",
      "id",
      'it needs a primary key of the one column "id", not deferrable',
    ],
    [
      "create table t (id timestamptz primary key, version integer not null)",
      "id",
      'it has a key "id" whose text is not the same everywhere: take uuid, text, varchar, integer or bigint',
    ],
    [
      "create table t (id uuid primary key, version integer not null) partition by hash (id)",
      "id",
      "it is no ordinary table",
    ],
  ])("refuses %s", async (create, key, problem) => {
    await transaction(superuser, async () => {
      await superuser.query(create);
      await superuser.query("savepoint s");
      await expect(superuser.query("select guard_entity_table('t', 'a.B', $1)", [key])).rejects.toMatchObject(
        {
          code: "DC001",
          message: `Table public.t cannot be guarded: ${problem}`,
        },
      );
      await superuser.query("rollback to s");
      await superuser.query("drop table t");
    });
  });

  test("refuses a second guard, a second table of an aggregate, and a name that is none", async () => {
    await superuser.query("create table t (id uuid primary key, version integer not null)");
    const guard = (table: string, aggregate: string) =>
      superuser.query("select guard_entity_table($1, $2, $3)", [
        table,
        aggregate,
        table === "t" ? "id" : "member_id",
      ]);
    await expect(guard("members", "members.Member")).rejects.toThrow("it is guarded already");
    await expect(guard("t", "members.Member")).rejects.toThrow(
      'it cannot hold "members.Member": another table does',
    );
    await expect(guard("t", "Member")).rejects.toThrow(
      'it cannot hold "Member": an aggregate is named <domain>.<Aggregate>',
    );
    await superuser.query("drop table t");
  });

  test("guards a table with a quoted name, another schema and a text key, and takes the guard off again", async () => {
    await superuser.query(`create schema "Sales"`);
    await superuser.query(
      `create table "Sales"."Big Shops" ("The Key" text primary key, version integer not null)`,
    );
    await superuser.query(`select guard_entity_table('"Sales"."Big Shops"', 'sales.Shop', 'The Key')`);
    await expect(
      superuser.query(`insert into "Sales"."Big Shops" values ('it''s', 1)`),
    ).rejects.toMatchObject({
      message: `Table "Sales"."Big Shops": sales.Shop "it's" was changed to version 1 without an outbox row, so the transaction cannot commit`,
    });
    await expect(superuser.query(`truncate "Sales"."Big Shops"`)).rejects.toMatchObject(VIOLATION);
    await superuser.query(`select unguard_entity_table('"Sales"."Big Shops"')`);
    await superuser.query(`insert into "Sales"."Big Shops" values ('it''s', 1)`);
    expect((await superuser.query("select from pg_proc where proname like 'guard_Big%'")).rowCount).toBe(0);
    await superuser.query(`drop schema "Sales" cascade`);
  });
});
