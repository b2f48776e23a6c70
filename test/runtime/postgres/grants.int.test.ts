import { randomUUID } from "node:crypto";
import { escapeIdentifier } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { monolithModule } from "../../../runtime";
import { grantModuleRights } from "../../../runtime/postgres/module-rights";
import { moduleRole } from "../../../runtime/postgres/module-role";
import { accounts } from "../../support/domain/account";
import { orderLines } from "../../support/domain/order-line";
import {
  ACCOUNT_ID,
  bank2,
  count,
  insertAccount,
  MODULES,
  modulesDatabase,
  type ModulesDatabase,
  outboxRow,
  prepareModules,
  processed,
  raise,
  REFUSED,
  transaction,
  urlOf,
} from "../../support/postgres/modules-database";
import { connect, freshDatabase } from "../../support/postgres/postgres";

let { database, admin, by } = {} as ModulesDatabase;
beforeAll(async () => {
  ({ database, admin, by } = await modulesDatabase());
});

describe("Capture and retention", () => {
  test.each(["monolith_capture", "monolith_retention"] as const)(
    "%s has no other right on any table",
    async (role) => {
      const { rows } = await admin.query<{ held: string }>(
        `select relname || ': ' || privilege_type as held from pg_class cross join lateral aclexplode(relacl)
         where relnamespace = 'public'::regnamespace and grantee in (0, $1::regrole) order by 1`,
        [role],
      );
      const all = { monolith_capture: ["outbox: SELECT"], monolith_retention: RETENTION };
      expect(rows.map(({ held }) => held)).toEqual(all[role]);
    },
  );

  test("capture sees the events of all modules, and changes none", async () => {
    const client = await connect(database.as("monolith_capture").url);
    expect(await count(client, "outbox")).toBe(await count(admin, "outbox"));
    for (const statement of [
      "select from inbox",
      "select from accounts",
      "select from deleted_aggregates",
      "select from registered_contracts",
      "select from guarded_tables",
      "delete from outbox",
      outboxRow("bank.Account", ACCOUNT_ID, "AccountRenamed"),
      raise("bank.Account", ACCOUNT_ID, "AccountRenamed"),
    ])
      await expect(client.query(statement), statement).rejects.toMatchObject(REFUSED);
  });

  test("retention removes no young rows, and writes and reads nothing else", async () => {
    const client = await connect(database.as("monolith_retention").url);
    expect(await count(client, "inbox")).toBe(await count(admin, "inbox"));
    await expect(client.query("delete from outbox")).rejects.toMatchObject({ code: "DC003" });
    await expect(client.query("delete from inbox")).rejects.toMatchObject({ code: "DC003" });
    for (const statement of [
      "select from accounts",
      "select from deleted_aggregates",
      "update outbox set correlation_id = 'other'",
      "update inbox set message_id = 'other'",
      "truncate inbox",
      "truncate outbox",
      processed("bank.commands"),
    ])
      await expect(client.query(statement), statement).rejects.toMatchObject(REFUSED);
  });

  const RETENTION = ["inbox: DELETE", "inbox: SELECT", "outbox: DELETE", "outbox: SELECT"];
});

describe("Rights follow what the modules register:", () => {
  test("a table that another module registers goes over to it, and one that none registers to nobody", async () => {
    const merged = monolithModule("sales", { tables: { order_lines: orderLines, accounts }, commands: {} });
    await grantModuleRights(admin, [merged, bank2]);
    expect(await count(by("sales"), "accounts")).toBeGreaterThan(0);
    await expect(by("bank").query("select from accounts")).rejects.toMatchObject(REFUSED);
    await expect(by("bank").query("select from outbox")).rejects.toMatchObject(REFUSED);
    await grantModuleRights(admin, [bank2]);
    await expect(by("sales").query("select from accounts")).rejects.toMatchObject(REFUSED);
    await expect(by("sales").query("select from inbox")).rejects.toMatchObject(REFUSED);
    await grantModuleRights(admin, MODULES);
    expect(await count(by("bank"), "accounts")).toBeGreaterThan(0);
    await expect(by("sales").query("select from accounts")).rejects.toMatchObject(REFUSED);
  });

  test("rights that were given by hand, to a table, some of its columns or everybody, are taken away", async () => {
    const role = escapeIdentifier(moduleRole(database.name, "bank"));
    await admin.query(`grant select (order_id), update (cost) on order_lines to ${role}`);
    await admin.query(`grant all on outbox, inbox, registered_contracts, domain_migrations to ${role}`);
    await admin.query("grant select on order_lines to public");
    await grantModuleRights(admin, MODULES);
    for (const statement of [
      "select order_id from order_lines",
      "update order_lines set cost = 1",
      "delete from outbox",
      "update inbox set message_id = 'x'",
      "delete from registered_contracts",
      "select from domain_migrations",
    ])
      await expect(by("bank").query(statement), statement).rejects.toMatchObject(REFUSED);
  });

  test("a table's sequences are granted with it, whether it owns them or only takes its values from them", async () => {
    await admin.query(`
      create sequence grades;
      alter table accounts add column number bigserial, add column identity integer generated always as identity,
        alter column grade set default 'g' || nextval('grades');
    `);
    await grantModuleRights(admin, MODULES);
    const id = randomUUID();
    await transaction(by("bank"), insertAccount(id), raise("bank.Account", id, "AccountOpened"));
    for (const sequence of ["grades", "accounts_number_seq"]) {
      await expect(by("sales").query("select nextval($1)", [sequence])).rejects.toMatchObject(REFUSED);
      await expect(by("bank").query("select setval($1, 1)", [sequence])).rejects.toMatchObject(REFUSED);
    }
  });

  test("a second run changes nothing and reports nothing", async () => {
    const state = () =>
      admin.query(
        `select relname, relacl::text from pg_class where relnamespace = 'public'::regnamespace order by 1`,
      );
    const policies = () => admin.query("select oid, polname, polrelid, polroles from pg_policy order by oid");
    const before = [(await state()).rows, (await policies()).rows];
    const reported: string[] = [];
    await grantModuleRights(admin, MODULES, (line) => reported.push(line));
    expect([(await state()).rows, (await policies()).rows]).toEqual(before);
    expect(reported).toEqual([]);
  });
});

test("A module's role has rights in its own database only", async () => {
  const other = await freshDatabase();
  await prepareModules(await connect(other.url));
  const stranger = await connect(urlOf(other, by("bank").user ?? ""));
  for (const statement of ["select from accounts", "select from outbox", "select from inbox"])
    await expect(stranger.query(statement), statement).rejects.toMatchObject(REFUSED);
});
