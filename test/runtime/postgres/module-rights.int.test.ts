import { randomBytes, randomUUID } from "node:crypto";
import { type Client, escapeIdentifier } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { monolithModule } from "../../../runtime";
import type { AnyDomain } from "../../../runtime/define/domain";
import { checkTables, moduleTables, registerContracts } from "../../../runtime/postgres/contracts";
import { grantModuleRights } from "../../../runtime/postgres/module-rights";
import { moduleRole } from "../../../runtime/postgres/module-role";
import { accounts, ACCOUNTS_SQL } from "../../support/domain/account";
import { ORDER_LINES_SQL, orderLines } from "../../support/domain/order-line";
import { connect, freshDatabase, type FreshDatabase } from "../../support/postgres/postgres";

// Two modules, and one whose name begins with that of another.
const bank = monolithModule("bank", { tables: { accounts }, commands: {} });
const sales = monolithModule("sales", { tables: { order_lines: orderLines }, commands: {} });
const bank2 = monolithModule("bank-2", { tables: {}, commands: {} });
const domains: AnyDomain[] = [bank, sales, bank2];

let database: FreshDatabase;
let admin: Client;
const clients: Record<string, Client> = {};

/** As docs/deploying.md says. */
async function logIn(module: string): Promise<Client> {
  // By its name it is dropped together with the database.
  const user = `${database.name}_login_${randomBytes(4).toString("hex")}`;
  const role = escapeIdentifier(moduleRole(database.name, module));
  await admin.query(`create role ${escapeIdentifier(user)} login password 'secret' in role ${role}`);
  const url = new URL(database.url);
  return connect(Object.assign(url, { username: user, password: "secret" }).href);
}

const by = (module: string) => {
  const client = clients[module];
  if (!client) throw new Error(`There is no login of "${module}".`);
  return client;
};
/** Runs statements in one transaction, which takes effect only if all are accepted. */
async function transaction(client: Client, ...statements: string[]): Promise<void> {
  await client.query("begin");
  try {
    for (const statement of statements) await client.query(statement);
    await client.query("commit");
  } finally {
    await client.query("rollback");
  }
}
const REFUSED = { code: "42501" };
const insertAccount = (id: string) =>
  `insert into accounts (account_id, owner, version) values ('${id}', 'Ada', 1)`;
const insertLine = (id: string) =>
  `insert into order_lines (order_id, cust_no, address2, line_count, version) values ('${id}', 'Ada', '', 1, 1)`;
const raise = (aggregate: string, id: string, type: string) =>
  `select raise_event('${aggregate}', '${id}', '${type}')`;
const processed = (consumer: string) =>
  `insert into inbox (consumer, message_id) values ('${consumer}', '${randomUUID()}')`;
const outboxRow = (aggregate: string, id: string, type: string) =>
  `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
   values (gen_random_uuid(), '${aggregate}', '${id}', 1, '${type}', 1, '{"change": {}, "state": {}}', 'test')`;
const count = async (client: Client, from: string) =>
  (await client.query<{ count: number }>(`select count(*)::integer from ${from}`)).rows[0]?.count;

beforeAll(async () => {
  database = await freshDatabase();
  admin = await connect(database.url);
  await admin.query(ACCOUNTS_SQL + ORDER_LINES_SQL);
  await registerContracts(admin, moduleTables(domains));
  await grantModuleRights(admin, domains);
  for (const { name } of domains) clients[name] = await logIn(name);
  await transaction(by("bank"), insertAccount(ID), raise("bank.Account", ID, "AccountOpened"));
  await transaction(by("bank"), processed("bank.commands"));
  await transaction(by("sales"), insertLine("L1"), raise("sales.OrderLine", "L1", "LinePlaced"));
  await transaction(by("sales"), processed("sales.commands"), processed("sales.accounts"));
});

const ID = randomUUID();

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
    await expect(checkTables(query, moduleTables(domains))).resolves.toBeUndefined();
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
    ["forges a removal", `insert into deleted_aggregates values ('bank.Account', '${ID}', 7)`],
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
      outboxRow("bank.Account", ID, "AccountRenamed"),
      raise("bank.Account", ID, "AccountRenamed"),
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
    await grantModuleRights(admin, domains);
    expect(await count(by("bank"), "accounts")).toBeGreaterThan(0);
    await expect(by("sales").query("select from accounts")).rejects.toMatchObject(REFUSED);
  });

  test("rights that were given by hand, to a table, some of its columns or everybody, are taken away", async () => {
    const role = escapeIdentifier(moduleRole(database.name, "bank"));
    await admin.query(`grant select (order_id), update (cost) on order_lines to ${role}`);
    await admin.query(`grant all on outbox, inbox, registered_contracts, domain_migrations to ${role}`);
    await admin.query("grant select on order_lines to public");
    await grantModuleRights(admin, domains);
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
    await grantModuleRights(admin, domains);
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
    await grantModuleRights(admin, domains, (line) => reported.push(line));
    expect([(await state()).rows, (await policies()).rows]).toEqual(before);
    expect(reported).toEqual([]);
  });
});

test("A module's role has rights in its own database only", async () => {
  const other = await freshDatabase();
  const client = await connect(other.url);
  await client.query(ACCOUNTS_SQL + ORDER_LINES_SQL);
  await registerContracts(client, moduleTables(domains));
  await grantModuleRights(client, domains);
  const { user = "" } = by("bank");
  const url = Object.assign(new URL(other.url), { username: user, password: "secret" }).href;
  const stranger = await connect(url);
  for (const statement of ["select from accounts", "select from outbox", "select from inbox"])
    await expect(stranger.query(statement), statement).rejects.toMatchObject(REFUSED);
});
