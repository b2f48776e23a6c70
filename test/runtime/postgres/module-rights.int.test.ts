import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { checkTables, moduleTables } from "../../../runtime/postgres/contracts";
import {
  ACCOUNT_ID,
  count,
  insertAccount,
  insertLine,
  MODULES,
  modulesDatabase,
  type ModulesDatabase,
  outboxRow,
  processed,
  raise,
  REFUSED,
  transaction,
} from "../../support/postgres/modules-database";

let { by, logIn } = {} as ModulesDatabase;
beforeAll(async () => {
  ({ by, logIn } = await modulesDatabase());
});

describe("A module's login", () => {
  test("changes the module's tables, with their events and inbox records", async () => {
    const id = randomUUID();
    await transaction(by("bank"), insertAccount(id), raise("bank.Account", id, "AccountOpened"));
    await transaction(
      by("bank"),
      `update accounts set balance = 1, version = 2 where account_id = '${id}'`,
      raise("bank.Account", id, "AccountRenamed"),
      processed("bank.onLines"),
    );
    await transaction(
      by("bank"),
      `delete from accounts where account_id = '${id}'`,
      raise("bank.Account", id, "AccountClosed"),
    );
    expect(await count(by("bank"), `outbox where aggregate_id = '${id}'`)).toBe(3);
    expect(await count(by("bank"), `deleted_aggregates where aggregate_id = '${id}'`)).toBe(1);
    expect(await count(by("sales"), `deleted_aggregates where aggregate_id = '${id}'`)).toBe(0);
  });

  test("can compare the tables with the database, as a store does when it is opened", async () => {
    const query = (text: string, values: unknown[]) => by("bank").query(text, values);
    await expect(checkTables(query, moduleTables(MODULES))).resolves.toBeUndefined();
  });

  test.each([
    ["reads another's table", "select from order_lines"],
    ["reads one column of it", "select order_id from order_lines"],
    ["inserts into it", insertLine("L2")],
    ["updates it", "update order_lines set version = version + 1"],
    ["deletes from it", "delete from order_lines"],
    ["empties it", "truncate order_lines"],
    ["empties its own, for which there are no events", "truncate accounts"],
    ["locks it", "lock table order_lines in access exclusive mode"],
    ["copies it", "copy order_lines to stdout"],
    ["alters it", "alter table order_lines disable trigger all"],
    ["alters its own", "alter table accounts disable trigger all"],
    [
      "follows it with a trigger",
      "create trigger t after insert on order_lines execute function guard_refuse_truncate()",
    ],
    ["writes another's event", outboxRow("sales.OrderLine", "L1", "LineMoved")],
    ["writes an event of a module whose name begins with its own", outboxRow("bank-2.Vault", "V1", "Opened")],
    ["raises another's event", raise("sales.OrderLine", "L1", "LineMoved")],
    ["writes another's inbox record", processed("sales.accounts")],
    ["writes one of a module whose name begins with its own", processed("bank-2.commands")],
    ["changes an inbox record", "update inbox set message_id = 'other'"],
    ["deletes an inbox record", "delete from inbox"],
    ["deletes events", "delete from outbox"],
    ["changes events", "update outbox set correlation_id = 'other'"],
    ["empties the outbox", "truncate outbox"],
    ["switches row security off", "alter table outbox disable row level security"],
    ["adds a policy", "create policy mine on outbox using (true)"],
    ["forges a removal", `insert into deleted_aggregates values ('bank.Account', '${ACCOUNT_ID}', 7)`],
    ["changes contracts", "update registered_contracts set state_sql = '1'"],
    ["registers a contract", "select register_contract('sales.OrderLine', '{}', '1')"],
    ["makes the check anew", "select generate_outbox_check()"],
    ["changes the guarded tables", "delete from guarded_tables"],
    ["guards a table", "select guard_entity_table('accounts', 'sales.Other', 'account_id')"],
    ["takes a guard away", "select unguard_entity_table('order_lines')"],
    [
      "replaces a function",
      "create or replace function public.outbox_check() returns trigger language sql as 'select null'",
    ],
    ["changes a function", "alter function outbox_check() security invoker"],
    [
      "makes a function that others find",
      "create function public.now() returns integer language sql as 'select 1'",
    ],
    ["makes a schema", "create schema mine"],
    ["becomes the owner", "set role monolith_migration"],
    ["becomes the role of legacy code", "set role monolith_application"],
    ["reads the migrations", "select from domain_migrations"],
    ["switches triggers off", "set session_replication_role = replica"],
  ])("is refused when it %s", async (_, statement) => {
    await expect(transaction(by("bank"), statement)).rejects.toMatchObject(REFUSED);
  });

  test.each(["row_security", "search_path"])("is refused with %s set otherwise", async (setting) => {
    const value = setting === "row_security" ? "off" : "pg_temp, public";
    const changes = [`set local ${setting} = ${value}`, "select from outbox where aggregate like 'sales.%'"];
    if (setting === "row_security") {
      await expect(transaction(by("bank"), ...changes)).rejects.toMatchObject(REFUSED);
      return;
    }
    await expect(
      transaction(by("bank"), ...changes, outboxRow("sales.OrderLine", "L1", "LineMoved")),
    ).rejects.toMatchObject(REFUSED);
  });

  test("sees its own rows of the outbox and the inbox only, whatever it asks for", async () => {
    const seen = async (column: string, table: string) =>
      (await by("sales").query<{ of: string }>(`select distinct ${column} as of from ${table} order by 1`))
        .rows;
    expect(await seen("aggregate", "outbox")).toEqual([{ of: "sales.OrderLine" }]);
    expect(await seen("consumer", "inbox")).toEqual([{ of: "sales.accounts" }, { of: "sales.commands" }]);
    expect(await count(by("bank-2"), "outbox")).toBe(0);
    expect(await count(by("bank-2"), "inbox")).toBe(0);
  });

  test("cannot let the guard's functions write for it, from a table of its own", async () => {
    await transaction(by("sales"), "create temp table forged (account_id text, version integer)");
    for (const call of ["guard_life('bank.Account', 'account_id')", "guard_accounts()", "outbox_check()"]) {
      const trigger = `create trigger t after delete on forged for each row execute function public.${call}`;
      await expect(transaction(by("sales"), trigger), call).rejects.toMatchObject(REFUSED);
    }
  });

  test("cannot hide the framework's tables from its functions behind temporary ones", async () => {
    const id = randomUUID();
    const hidden = ["outbox", "deleted_aggregates", "registered_contracts"].map(
      (table) => `create temp table ${table} on commit drop as select * from public.${table} where false`,
    );
    await expect(transaction(by("bank"), ...hidden, insertAccount(id))).rejects.toMatchObject({
      code: "DC001",
    });
  });

  test("cannot shorten a payload by a type of its own, to get it past its limit", async () => {
    const client = await logIn("bank");
    const id = randomUUID();
    const large = outboxRow("bank.Account", id, "AccountOpened").replace(
      `'{"change": {}, "state": {}}'`,
      `jsonb_build_object('change', jsonb_build_object('large', repeat('x', 300000)), 'state', null)`,
    );
    await expect(
      transaction(
        client,
        "create domain pg_temp.text as varchar(10)",
        "set local search_path = pg_temp, pg_catalog, public",
        large,
      ),
    ).rejects.toMatchObject({ code: "DC002" });
  });
});
