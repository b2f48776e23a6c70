import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CapturedRecord } from "../../../dist/local/capture/capture.js";
import { rawMember, transaction } from "../../runtime/postgres/migrations/guarded-member.js";
import { captureFixture } from "./capture-fixture.js";
import { changes, databaseUnderCapture } from "./captured-database.js";
import { mappingRule, selectionRule } from "./task-inputs.js";

let fixture: Awaited<ReturnType<typeof captureFixture>>;

beforeAll(async () => (fixture = await captureFixture()));
afterAll(() => fixture.close());

test("an outbox row arrives as DMS's record, keyed by its aggregate; entity tables do not", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream);
  const heard: CapturedRecord[] = [];
  capture.onRecord((record) => heard.push(record));
  const member = rawMember(client);
  await transaction(client, async () => {
    await member.insert();
    await member.event(1, `{"change": {}, "state": {"name": "It's 🙂", "n": 1}}`);
  });
  await expect.poll(() => capture.isCaughtUp()).toBe(true);

  const [record, ...more] = await stream.dataRecords();
  expect(more).toEqual([]);
  expect(record?.partitionKey).toBe(member.id);
  expect(record?.text.endsWith("}\n")).toBe(true);
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string;
  expect(record?.json).toEqual({
    data: {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      aggregate: "members.Member",
      aggregate_id: member.id,
      aggregate_version: 1,
      type: "MemberTouched",
      schema_version: 1,
      payload: `{"state": {"n": 1, "name": "It's 🙂"}, "change": {}}`,
      occurred_at: time,
      correlation_id: "test",
      causation_id: null,
      traceparent: null,
    },
    metadata: {
      timestamp: time,
      "record-type": "data",
      operation: "insert",
      "partition-key-type": "attribute-name",
      "partition-key-value": member.id,
      "schema-name": "public",
      "table-name": "outbox",
      "commit-timestamp": time,
      "transaction-id": expect.any(Number) as number,
      "transaction-record-id": 1,
      "stream-position": expect.stringMatching(/^([0-9A-F]{8}\/[0-9A-F]{8})\.3\.\1$/) as string,
    },
  });
  expect(heard).toEqual([
    {
      schema: "public",
      table: "outbox",
      operation: "insert",
      row: record?.json.data,
      partitionKey: member.id,
      transactionId: record?.json.metadata["transaction-id"],
      committedAt: Date.parse(String(record?.json.metadata["commit-timestamp"])),
      putAt: expect.any(Number) as number,
    },
  ]);
  expect(heard[0]?.putAt).toBeGreaterThanOrEqual(heard[0]?.committedAt ?? Infinity);
  expect(capture.position()).toMatchObject({ connected: true, records: 1 });
});

test("each aggregate's events are in order and on one shard, whatever was committed between them", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const before = await changes(client, 10, 3);
  const capture = await fixture.capture(captured, stream);
  const after = await changes(client, 10, 3);
  await expect.poll(() => capture.isCaughtUp()).toBe(true);
  const records = await stream.dataRecords();
  expect(new Set(records.map(({ shard }) => shard)).size).toBe(2);
  for (const id of [...before, ...after]) {
    const own = records.filter(({ partitionKey }) => partitionKey === id);
    expect(own.map(({ json }) => json.data?.["aggregate_version"])).toEqual([1, 2, 3]);
    expect(new Set(own.map(({ shard }) => shard)).size).toBe(1);
  }
});

test("a transaction's records come after its commit, numbered, and one that is rolled back never comes", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream);
  const member = rawMember(client);
  await client.query("begin");
  await member.insert();
  await member.event(1);
  await client.query("rollback");
  await client.query("begin");
  await member.insert();
  await member.event(1);
  await member.update();
  await member.event(2);
  await expect.poll(() => capture.isCaughtUp()).toBe(true);
  expect(await stream.dataRecords()).toEqual([]);
  await client.query("commit");
  await expect.poll(() => capture.isCaughtUp()).toBe(true);
  const records = (await stream.dataRecords()).map(({ json }) => json.metadata);
  expect(records.map((metadata) => metadata["transaction-record-id"])).toEqual([1, 2]);
  expect(records[1]?.["prev-transaction-id"]).toBe(records[0]?.["transaction-id"]);
  expect(new Set(records.map((metadata) => metadata["transaction-id"])).size).toBe(1);
});

test("the mapping rules of the task decide the keys: without one, all is on the table's shard", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream, { rules: [selectionRule()] });
  await changes(client, 8, 1);
  await expect.poll(() => capture.isCaughtUp()).toBe(true);
  expect(new Set((await stream.dataRecords()).map(({ partitionKey }) => partitionKey))).toEqual(
    new Set(["public.outbox"]),
  );
});

test("wildcards capture other tables too, with updates and deletions", async () => {
  const { captured, client, superuser } = await databaseUnderCapture();
  await superuser.query(
    "create table public.extra (id bigint primary key, flag boolean, amount numeric(10,2), note text, big text)",
  );
  await superuser.query("alter table extra alter column big set storage external");
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream, {
    rules: [selectionRule("%"), mappingRule({ "partition-key-type": "primary-key" }, "%")],
    kinesis: { partitionIncludeSchemaTable: true, includeControlDetails: true },
  });
  await superuser.query("insert into extra values (12345678901234567, true, 1.5, null, repeat('x', 3000))");
  await superuser.query("update extra set note = 'it''s'");
  await superuser.query("delete from extra");
  await superuser.query("truncate extra");
  await changes(client, 1, 1);
  await expect.poll(() => capture.isCaughtUp()).toBe(true);
  const records = await stream.records();
  const extra = records.filter(({ partitionKey }) => partitionKey === "public.extra.12345678901234567");
  expect(extra.map(({ json }) => [json.metadata["operation"], json.data])).toEqual([
    ["insert", { id: 12345678901234568, flag: "true", amount: 1.5, note: null, big: "x".repeat(3000) }],
    ["update", { id: 12345678901234568, flag: "true", amount: 1.5, note: "it's" }],
    ["delete", { id: 12345678901234568, flag: null, amount: null, note: null, big: null }],
  ]);
  expect(extra[0]?.text).toContain('"id":1.2345678901234568e+16,"flag":"true","amount":1.50');
  const control = records.find(({ partitionKey }) => partitionKey === "shop-capture.public.extra");
  expect(control?.json.control).toMatchObject({
    "table-def": { "primary-key": ["id"], columns: { id: { type: "INT64", nullable: false } } },
  });
  expect(new Set(records.map(({ json }) => json.metadata["table-name"]))).toContain("members");
});

test("ids, times and large values arrive as they were written", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream);
  const member = rawMember(client);
  const note = `${"ä".repeat(60_000)}\\ "quoted" 'n\n\u2028 ${randomUUID()}`;
  await transaction(client, async () => {
    await member.insert();
    await member.event(1, JSON.stringify({ change: {}, state: { note } }));
  });
  await expect.poll(() => capture.isCaughtUp()).toBe(true);
  const [record] = await stream.dataRecords();
  expect(JSON.parse(String(record?.json.data?.["payload"]))).toEqual({ change: {}, state: { note } });
});
