import type { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { installAudit } from "../../../dist/local/verdict/audit-postgres.js";
import { judge } from "../../../dist/local/verdict/judge.js";
import { readPostgres } from "../../../dist/local/verdict/read-postgres.js";
import type { AuditedChange } from "../../../dist/local/verdict/snapshot.js";
import { type RawCustomer, rawCustomer, transaction, VIOLATION } from "../../migrations/guarded-customer.js";
import { connect, freshDatabase, type FreshDatabase } from "../../support/postgres.js";

let database: FreshDatabase;
let admin: Client;
let application: Client;
beforeAll(async () => {
  database = await freshDatabase();
  await installAudit(database.url);
  admin = await connect(database.url);
  application = await connect(database.as("monolith_application").url);
});

/** A customer that is registered by the application. */
async function registered(): Promise<RawCustomer> {
  const customer = rawCustomer(application);
  await transaction(application, async () => {
    await customer.insert();
    await customer.event(1);
  });
  return customer;
}

async function changesOf({ id }: RawCustomer): Promise<AuditedChange[]> {
  return (await readPostgres(database.url)).changes.filter((change) => change.id === id);
}

const row = (customer: RawCustomer, city: string, version: number) => ({
  ...{ customer_id: customer.id, name: "Ada", email: "ada@example.org", city, credit_note: null, version },
});

test("every change is recorded in its order, and each event's transaction is its change's", async () => {
  const customer = await registered();
  await transaction(application, async () => {
    await application.query("savepoint one");
    await customer.update();
    await application.query("release one; savepoint two");
    await customer.event(2);
  });
  await transaction(application, async () => {
    await customer.delete();
    await customer.event(3);
  });
  await transaction(application, async () => {
    await customer.insert(4);
    await customer.event(4);
  });
  const { changes, outbox } = await readPostgres(database.url);
  const of = { aggregate: "customers.Customer", id: customer.id };
  const transactions = [1, 2, 3, 4].map(
    (version) =>
      outbox.find((event) => event.aggregateId === customer.id && event.version === version)?.transaction,
  );
  expect(changes.filter(({ id }) => id === customer.id)).toEqual(
    [
      { ...of, operation: "insert", oldVersion: null, newVersion: 1, row: row(customer, "London", 1) },
      { ...of, operation: "update", oldVersion: 1, newVersion: 2, row: row(customer, "Paris", 2) },
      { ...of, operation: "delete", oldVersion: 2, newVersion: 3, row: null },
      { ...of, operation: "insert", oldVersion: null, newVersion: 4, row: row(customer, "London", 4) },
    ].map((change, index) => ({ ...change, transaction: transactions[index] })),
  );
  expect(new Set(transactions).size).toBe(4);
});

test("several changes of one row in one transaction are recorded one by one", async () => {
  const customer = await registered();
  await transaction(application, async () => {
    for (const version of [2, 3]) {
      await customer.update();
      await customer.event(version);
    }
  });
  expect((await changesOf(customer)).map(({ newVersion }) => newVersion)).toEqual([1, 2, 3]);
});

describe("what is not committed is not recorded:", () => {
  test("a transaction that is rolled back", async () => {
    const customer = await registered();
    await application.query("begin");
    await customer.update();
    await customer.event(2);
    await application.query("rollback");
    expect(await changesOf(customer)).toHaveLength(1);
  });

  test("a commit that the guard refuses", async () => {
    const customer = await registered();
    await expect(customer.update()).rejects.toMatchObject(VIOLATION);
    expect(await changesOf(customer)).toHaveLength(1);
  });
});

test("a change that goes round the guard and the outbox is recorded, and found", async () => {
  const customer = await registered();
  await admin.query("alter table customers disable trigger guard_outbox");
  try {
    await transaction(admin, async () => {
      await admin.query("set local session_replication_role = replica");
      await rawCustomer(admin, { id: customer.id }).update();
    });
  } finally {
    await admin.query("alter table customers enable always trigger guard_outbox");
  }
  const contents = await readPostgres(database.url);
  const findings = judge(
    { ...contents, projections: {}, bus: [], setAside: [] },
    { requests: [], poison: [], privateMarks: {} },
  );
  const where = `customers.Customer "${customer.id}" version 2`;
  expect(findings.filter((finding) => finding.where === where)).toEqual([
    { guarantee: "ONE_EVENT_PER_CHANGE", where, expected: "an event of this update", found: "none" },
  ]);
});

test("the record is out of the program's reach", async () => {
  await expect(application.query("select from fault_audit.changes")).rejects.toMatchObject({ code: "42501" });
});

test("rows, outbox, inbox and the last versions of what is gone are read as they are", async () => {
  const [living, gone] = [await registered(), await registered()];
  await transaction(application, async () => {
    await gone.delete();
    await gone.event(2);
    await application.query("insert into inbox (consumer, message_id) values ('customers.commands', $1)", [
      gone.id,
    ]);
  });
  const { entities, outbox, inbox } = await readPostgres(database.url);
  const of = { aggregate: "customers.Customer" };
  expect(entities).toContainEqual({ ...of, id: living.id, version: 1, row: row(living, "London", 1) });
  expect(entities).toContainEqual({ ...of, id: gone.id, version: 2, row: null });
  expect(inbox).toEqual([
    { consumer: "customers.commands", messageId: gone.id, processedAt: expect.any(String) as string },
  ]);
  expect(outbox.find(({ aggregateId, version }) => aggregateId === gone.id && version === 2)).toEqual({
    ...of,
    id: expect.any(String) as string,
    aggregateId: gone.id,
    version: 2,
    type: "CustomerTouched",
    data: { change: {}, state: {} },
    correlationId: "test",
    causationId: undefined,
    occurredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    transaction: expect.stringMatching(/^\d+$/) as string,
  });
});

test("an entity table that the verdict does not know is told", async () => {
  const { url } = await freshDatabase();
  await installAudit(url);
  const client = await connect(url);
  await client.query("create table loyalty_accounts (account_id uuid primary key, version integer not null)");
  await client.query("select guard_entity_table('loyalty_accounts', 'loyalty.Account', 'account_id')");
  await expect(readPostgres(url)).rejects.toMatchObject({
    code: "LANDSCAPE_OUTDATED",
    message: expect.stringContaining('"loyalty_accounts"') as string,
  });
});
