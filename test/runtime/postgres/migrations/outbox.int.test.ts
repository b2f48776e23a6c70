import type { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import {
  withoutOutboxCheck,
  agedEvents,
  agedInboxRecords,
  countOlder,
} from "../../../support/postgres/aged-rows.js";
import { connect, freshDatabase } from "../../../support/postgres/postgres.js";
import { rawMember, transaction } from "./guarded-member.js";

let superuser: Client;
let application: Client;
let capture: Client;
let migration: Client;
let retention: Client;

beforeAll(async () => {
  const database = await freshDatabase();
  superuser = await connect(database.url);
  application = await connect(database.as("monolith_application").url);
  capture = await connect(database.as("monolith_capture").url);
  migration = await connect(database.as("monolith_migration").url);
  retention = await connect(database.as("monolith_retention").url);
});

describe("the outbox is insert-only", () => {
  test("an update and a truncation are refused for everybody, whether or not there are rows", async () => {
    for (const [client, statement, operation] of [
      [superuser, "update outbox set type = 'X'", "UPDATE"],
      [migration, "update outbox set type = 'X'", "UPDATE"],
      [superuser, "truncate outbox", "TRUNCATE"],
      [migration, "truncate outbox", "TRUNCATE"],
      [
        superuser,
        "insert into outbox select * from outbox on conflict (id) do update set type = 'X'",
        "UPDATE",
      ],
    ] as const) {
      await expect(client.query(statement), statement).rejects.toMatchObject({
        code: "DC003",
        message: `The outbox is insert-only, so ${operation} is refused`,
        hint: "Correct a wrong event with a further change of its aggregate; retention deletes old rows as monolith_retention.",
      });
    }
  });

  test("only retention and its owner delete from it", async () => {
    for (const owner of [retention, migration]) {
      const member = rawMember(application, { owner });
      await transaction(application, async () => (await member.insert(), await member.event(1)));
      await expect(application.query("delete from outbox")).rejects.toMatchObject({ code: "42501" });
      await expect(capture.query("delete from outbox")).rejects.toMatchObject({ code: "42501" });
      expect(await member.forgetEvents()).toMatchObject({ rowCount: 1 });
    }
  });
});

describe("young rows are kept, whoever deletes", () => {
  test("an event of less than a day, alone or among older ones", async () => {
    await agedEvents(superuser, 2, 1);
    await agedEvents(superuser, 1, 0);
    for (const client of [retention, migration, superuser]) {
      await expect(client.query("delete from outbox")).rejects.toMatchObject({
        code: "DC003",
        message: "Table public.outbox keeps each row for at least 1 day(s), so this deletion is refused",
      });
    }
    await retention.query("delete from outbox where occurred_at < now() - interval '1 day'");
    expect(await countOlder(superuser, "outbox", 0)).toBe(1);
  });

  test("an inbox record of less than 19 days, since its event can still come back", async () => {
    await agedInboxRecords(superuser, 2, 20);
    await agedInboxRecords(superuser, 1, 18);
    for (const client of [retention, migration, superuser]) {
      await expect(client.query("delete from inbox")).rejects.toMatchObject({
        code: "DC003",
        hint: "An event can come back for as long, and would take effect twice.",
      });
    }
    await retention.query("delete from inbox where processed_at < now() - interval '19 days'");
    expect(await countOlder(superuser, "inbox", 0)).toBe(1);
  });
});

describe("a payload has a limit", () => {
  const LIMIT = 245_760;
  /** JSON whose text in PostgreSQL has exactly so many bytes. */
  const payload = (bytes: number, character = "x") => {
    const empty = '{"state": {"note": ""}, "change": {}}'.length;
    return JSON.stringify({
      change: {},
      state: { note: character.repeat((bytes - empty) / Buffer.byteLength(character)) },
    });
  };

  test("one of exactly 240 KiB is accepted, a byte more is refused with its size and the limit", async () => {
    const member = rawMember(superuser);
    await withoutOutboxCheck(superuser, () =>
      transaction(superuser, async () => (await member.insert(), await member.event(1, payload(LIMIT)))),
    );
    await expect(
      transaction(superuser, async () => (await member.update(), await member.event(2, payload(LIMIT + 1)))),
    ).rejects.toMatchObject({
      code: "DC002",
      constraint: "outbox_event",
      message: `The payload of MemberMoved of members.Member "${member.id}" is 245761 bytes of JSON, more than the 245760 bytes that an event may have`,
      hint: "Publish a reference to the large part (an S3 key, a link), or leave it out of the contract.",
    });
  });

  test("bytes are counted, not characters, and not as they are stored", async () => {
    const member = rawMember(application);
    const work = (text: string) =>
      transaction(application, async () => (await member.insert(), await member.event(1, text)));
    await expect(work(payload(LIMIT + 5, "é"))).rejects.toMatchObject({ code: "DC002" });
    await expect(work('{"change": 1e131071, "state": 1e131071}')).rejects.toMatchObject({ code: "DC002" });
  });
});

describe("rights are the least that each role needs", () => {
  test.each([
    ["monolith_application", "members", "DELETE, INSERT, SELECT, UPDATE"],
    ["monolith_application", "outbox", "INSERT, SELECT"],
    ["monolith_application", "inbox", "INSERT, SELECT"],
    ["monolith_application", "deleted_aggregates", "SELECT"],
    ["monolith_application", "domain_consistency_migrations", null],
    ["monolith_application", "domain_migrations", null],
    ["monolith_capture", "outbox", "SELECT"],
    ["monolith_capture", "members", null],
    ["monolith_capture", "inbox", null],
    ["monolith_capture", "deleted_aggregates", null],
    ["monolith_retention", "outbox", "DELETE, SELECT"],
    ["monolith_retention", "inbox", "DELETE, SELECT"],
    ["monolith_retention", "members", null],
    ["monolith_retention", "deleted_aggregates", null],
  ])("%s on %s: %s", async (role, table, rights) => {
    const { rows } = await superuser.query<{ rights: string | null }>(
      "select string_agg(privilege_type, ', ' order by privilege_type) as rights from information_schema.table_privileges where grantee = $1 and table_name = $2",
      [role, table],
    );
    expect(rows[0]?.rights).toBe(rights);
  });

  test("the roles cannot log in by themselves, and only capture replicates", async () => {
    const { rows } = await superuser.query(
      "select rolname, rolcanlogin, rolreplication, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls from pg_roles where rolname in ('monolith_migration', 'monolith_application', 'monolith_capture', 'monolith_retention') order by 1",
    );
    const role = (rolname: string, rolreplication = false) => ({
      rolname,
      rolreplication,
      rolcanlogin: false,
      rolsuper: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolbypassrls: false,
    });
    expect(rows).toEqual([
      role("monolith_application"),
      role("monolith_capture", true),
      role("monolith_migration"),
      role("monolith_retention"),
    ]);
  });

  test("capture makes its heartbeat table in a schema of its own, and nothing where the data is", async () => {
    await capture.query("create table awsdms.awsdms_heartbeat (hb_key integer primary key)");
    await capture.query("drop table awsdms.awsdms_heartbeat");
    await expect(
      capture.query("create table public.awsdms_heartbeat (hb_key integer primary key)"),
    ).rejects.toMatchObject({ code: "42501" });
    await expect(application.query("select from awsdms.awsdms_heartbeat")).rejects.toMatchObject({
      code: "42501",
    });
  });
});
