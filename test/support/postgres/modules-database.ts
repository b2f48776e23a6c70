/** Three modules in one database, each with a login of its own. */
import { randomBytes, randomUUID } from "node:crypto";
import { type Client, escapeIdentifier } from "pg";
import { monolithModule } from "../../../runtime";
import type { AnyDomain } from "../../../runtime/define/domain";
import { moduleTables, registerContracts } from "../../../runtime/postgres/contracts";
import { grantModuleRights } from "../../../runtime/postgres/module-rights";
import { moduleRole } from "../../../runtime/postgres/module-role";
import { accounts, ACCOUNTS_SQL } from "../domain/account";
import { ORDER_LINES_SQL, orderLines } from "../domain/order-line";
import { connect, freshDatabase, type FreshDatabase } from "./postgres";

const bank = monolithModule("bank", { tables: { accounts }, commands: {} });
const sales = monolithModule("sales", { tables: { order_lines: orderLines }, commands: {} });
/** Its name begins with that of another one. */
export const bank2 = monolithModule("bank-2", { tables: {}, commands: {} });
/** The modules. */
export const MODULES: AnyDomain[] = [bank, sales, bank2];
/** An account that the bank has opened. */
export const ACCOUNT_ID = randomUUID();
/** How PostgreSQL says that a right is missing. */
export const REFUSED = { code: "42501" };

/** The database of a test file. */
export interface ModulesDatabase {
  database: FreshDatabase;
  /** Connected as superuser. */
  admin: Client;
  /** The connection of a module's login. */
  by(module: string): Client;
  /** Connects with another login of the module. */
  logIn(module: string): Promise<Client>;
}

/** Creates the database, with events and inbox records of two modules. It is dropped after the test file. */
export async function modulesDatabase(): Promise<ModulesDatabase> {
  const database = await freshDatabase();
  const admin = await connect(database.url);
  await prepareModules(admin);
  // As docs/deploying.md says.
  const logIn = async (module: string) => {
    // By its name it is dropped together with the database.
    const user = `${database.name}_login_${randomBytes(4).toString("hex")}`;
    const role = escapeIdentifier(moduleRole(database.name, module));
    await admin.query(`create role ${user} login password '${PASSWORD}' in role ${role}`);
    return connect(urlOf(database, user));
  };
  const clients = new Map<string, Client>();
  for (const { name } of MODULES) clients.set(name, await logIn(name));
  const by = (module: string) => {
    const client = clients.get(module);
    if (!client) throw new Error(`There is no login of "${module}".`);
    return client;
  };
  const opened = raise("bank.Account", ACCOUNT_ID, "AccountOpened");
  await transaction(by("bank"), insertAccount(ACCOUNT_ID), opened, processed("bank.commands"));
  await transaction(by("sales"), insertLine("L1"), raise("sales.OrderLine", "L1", "LinePlaced"));
  await transaction(by("sales"), processed("sales.commands"), processed("sales.accounts"));
  return { database, admin, by, logIn };
}

const PASSWORD = "secret";

/** Makes the modules' tables and grants their rights, as migrations do. */
export async function prepareModules(admin: Client): Promise<void> {
  await admin.query(ACCOUNTS_SQL + ORDER_LINES_SQL);
  await registerContracts(admin, moduleTables(MODULES));
  await grantModuleRights(admin, MODULES);
}

/** The URL of the database for a module's login. */
export function urlOf(database: FreshDatabase, username: string): string {
  return Object.assign(new URL(database.url), { username, password: PASSWORD }).href;
}

/** Runs statements in one transaction, which takes effect only if all are accepted. */
export async function transaction(client: Client, ...statements: string[]): Promise<void> {
  await client.query("begin");
  try {
    for (const statement of statements) await client.query(statement);
    await client.query("commit");
  } finally {
    await client.query("rollback");
  }
}

export const insertAccount = (id: string) =>
  `insert into accounts (account_id, owner, version) values ('${id}', 'Ada', 1)`;
export const insertLine = (id: string) =>
  `insert into order_lines (order_id, cust_no, address2, line_count, version) values ('${id}', 'Ada', '', 1, 1)`;
export const raise = (aggregate: string, id: string, type: string) =>
  `select raise_event('${aggregate}', '${id}', '${type}')`;
export const processed = (consumer: string) =>
  `insert into inbox (consumer, message_id) values ('${consumer}', '${randomUUID()}')`;
export const outboxRow = (aggregate: string, id: string, type: string) =>
  `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
   values (gen_random_uuid(), '${aggregate}', '${id}', 1, '${type}', 1, '{"change": {}, "state": {}}', 'test')`;

/** Counts the rows that the login sees. */
export async function count(client: Client, from: string): Promise<number | undefined> {
  return (await client.query<{ count: number }>(`select count(*)::integer from ${from}`)).rows[0]?.count;
}
