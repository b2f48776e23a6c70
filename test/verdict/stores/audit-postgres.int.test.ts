import type { Client } from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { installAudit } from "../../../dist/test/verdict/stores/audit-postgres.js";
import { judge } from "../../../dist/test/verdict/judge.js";
import { readPostgres } from "../../../dist/test/verdict/stores/read-postgres.js";
import type { AuditedChange } from "../../../dist/test/verdict/snapshot.js";
import {
  type RawMember,
  rawMember,
  transaction,
  VIOLATION,
} from "../../runtime/postgres/migrations/guarded-member.js";
import { loadDomainsFrom } from "../../../dist/registry/load-domains.js";
import { FIXTURE_DOMAINS } from "../../../dist/test/fixtures/source.js";
import { landscapeOf } from "../../../dist/test/verdict/landscape.js";
import { connect, freshDatabase, type FreshDatabase } from "../../support/postgres/postgres.js";

const LANDSCAPE = landscapeOf(loadDomainsFrom(FIXTURE_DOMAINS.domains).all);

let database: FreshDatabase;
let admin: Client;
let application: Client;
beforeAll(async () => {
  database = await freshDatabase();
  await installAudit(database.url, LANDSCAPE);
  admin = await connect(database.url);
  application = await connect(database.as("monolith_application").url);
});

/** A member that is registered by the application. */
async function registered(): Promise<RawMember> {
  const member = rawMember(application);
  await transaction(application, async () => {
    await member.insert();
    await member.event(1);
  });
  return member;
}

async function changesOf({ id }: RawMember): Promise<AuditedChange[]> {
  return (await readPostgres(database.url, LANDSCAPE)).changes.filter((change) => change.id === id);
}

const row = (member: RawMember, city: string, version: number) => ({
  ...{ member_id: member.id, name: "Ada", email: "ada@example.org", city, lent: 0, note: null, version },
});

test("every change is recorded in its order, and each event's transaction is its change's", async () => {
  const member = await registered();
  await transaction(application, async () => {
    await application.query("savepoint one");
    await member.update();
    await application.query("release one; savepoint two");
    await member.event(2);
  });
  await transaction(application, async () => {
    await member.delete();
    await member.event(3);
  });
  await transaction(application, async () => {
    await member.insert(4);
    await member.event(4);
  });
  const { changes, outbox } = await readPostgres(database.url, LANDSCAPE);
  const of = { aggregate: "members.Member", id: member.id };
  const transactions = [1, 2, 3, 4].map(
    (version) =>
      outbox.find((event) => event.aggregateId === member.id && event.version === version)?.transaction,
  );
  expect(changes.filter(({ id }) => id === member.id)).toEqual(
    [
      { ...of, operation: "insert", oldVersion: null, newVersion: 1, row: row(member, "London", 1) },
      { ...of, operation: "update", oldVersion: 1, newVersion: 2, row: row(member, "Paris", 2) },
      { ...of, operation: "delete", oldVersion: 2, newVersion: 3, row: null },
      { ...of, operation: "insert", oldVersion: null, newVersion: 4, row: row(member, "London", 4) },
    ].map((change, index) => ({ ...change, transaction: transactions[index] })),
  );
  expect(new Set(transactions).size).toBe(4);
});

test("several changes of one row in one transaction are recorded one by one", async () => {
  const member = await registered();
  await transaction(application, async () => {
    for (const version of [2, 3]) {
      await member.update();
      await member.event(version);
    }
  });
  expect((await changesOf(member)).map(({ newVersion }) => newVersion)).toEqual([1, 2, 3]);
});

describe("uncommitted changes are not recorded:", () => {
  test("a transaction that is rolled back", async () => {
    const member = await registered();
    await application.query("begin");
    await member.update();
    await member.event(2);
    await application.query("rollback");
    expect(await changesOf(member)).toHaveLength(1);
  });

  test("a commit that the guard refuses", async () => {
    const member = await registered();
    await expect(member.update()).rejects.toMatchObject(VIOLATION);
    expect(await changesOf(member)).toHaveLength(1);
  });
});

test("a change that bypasses the guard and the outbox is recorded and found", async () => {
  const member = await registered();
  await admin.query("alter table members disable trigger guard_outbox");
  try {
    await transaction(admin, async () => {
      await admin.query("set local session_replication_role = replica");
      await rawMember(admin, { id: member.id }).update();
    });
  } finally {
    await admin.query("alter table members enable always trigger guard_outbox");
  }
  const contents = await readPostgres(database.url, LANDSCAPE);
  const findings = judge(
    { ...contents, projections: {}, bus: [], deadLetters: [], quarantined: [], log: [] },
    { requests: [], poison: [], privateMarks: {} },
    LANDSCAPE,
  );
  const where = `members.Member "${member.id}" version 2`;
  expect(findings.filter((finding) => finding.where === where)).toEqual([
    { guarantee: "ONE_EVENT_PER_CHANGE", where, expected: "an event of this update", found: "none" },
  ]);
});

test("the record is out of the program's reach", async () => {
  await expect(application.query("select from verdict_audit.changes")).rejects.toMatchObject({
    code: "42501",
  });
});

test("rows, outbox, inbox and the last versions of removed aggregates are read unchanged", async () => {
  const [living, gone] = [await registered(), await registered()];
  await transaction(application, async () => {
    await gone.delete();
    await gone.event(2);
    await application.query("insert into inbox (consumer, message_id) values ('members.commands', $1)", [
      gone.id,
    ]);
  });
  const { entities, outbox, inbox } = await readPostgres(database.url, LANDSCAPE);
  const of = { aggregate: "members.Member" };
  expect(entities).toContainEqual({ ...of, id: living.id, version: 1, row: row(living, "London", 1) });
  expect(entities).toContainEqual({ ...of, id: gone.id, version: 2, row: null });
  expect(inbox).toEqual([
    { consumer: "members.commands", messageId: gone.id, processedAt: expect.any(String) as string },
  ]);
  expect(outbox.find(({ aggregateId, version }) => aggregateId === gone.id && version === 2)).toEqual({
    ...of,
    outbox: "outbox",
    id: expect.any(String) as string,
    aggregateId: gone.id,
    version: 2,
    type: "MemberMoved",
    data: { change: {}, state: null },
    correlationId: "test",
    causationId: undefined,
    occurredAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    transaction: expect.stringMatching(/^\d+$/) as string,
  });
});

test("an entity table that no domain registers is refused", async () => {
  const { url } = await freshDatabase();
  await installAudit(url, LANDSCAPE);
  const client = await connect(url);
  await client.query("create table loyalty_accounts (account_id uuid primary key, version integer not null)");
  await client.query("select guard_entity_table('loyalty_accounts', 'loyalty.Account', 'account_id')");
  await expect(readPostgres(url, LANDSCAPE)).rejects.toMatchObject({
    code: "TABLE_UNKNOWN",
    message: expect.stringContaining('"loyalty_accounts"') as string,
  });
});
