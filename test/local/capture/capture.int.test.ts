import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CapturedRecord } from "../../../dist/local/capture/capture.js";
import { rawMember, transaction } from "../../runtime/postgres/migrations/guarded-member.js";
import { captureFixture, untilCaughtUp } from "./capture-fixture.js";
import { changes, databaseUnderCapture } from "./captured-database.js";
import { rulesFor } from "./task-inputs.js";

let fixture: Awaited<ReturnType<typeof captureFixture>>;

beforeAll(async () => (fixture = await captureFixture()));
afterAll(() => fixture.close());

test("an outbox row arrives as DMS's record, keyed by its aggregate; entity tables do not", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const heard: CapturedRecord[] = [];
  const capture = await fixture.capture(captured, stream, {}, { onRecord: (record) => heard.push(record) });
  const member = rawMember(client);
  await transaction(client, async () => {
    await member.insert();
    await member.event(1, `{"change": {}, "state": {"name": "It's 🙂", "n": 1}}`);
  });
  await untilCaughtUp(capture);

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
      type: "MemberMoved",
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
      operation: "insert",
      row: record?.json.data,
      partitionKey: member.id,
      committedAt: Date.parse(String(record?.json.metadata["commit-timestamp"])),
      putAt: expect.any(Number) as number,
    },
  ]);
  expect(heard[0]?.putAt).toBeGreaterThanOrEqual(heard[0]?.committedAt ?? Infinity);
});

test("each aggregate's events are in order and on one shard, whatever was committed between them", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const before = await changes(client, 10, 3);
  const capture = await fixture.capture(captured, stream);
  const after = await changes(client, 10, 3);
  await untilCaughtUp(capture);
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
  await untilCaughtUp(capture);
  expect(await stream.dataRecords()).toEqual([]);
  await client.query("commit");
  await untilCaughtUp(capture);
  const records = (await stream.dataRecords()).map(({ json }) => json.metadata);
  expect(records.map((metadata) => metadata["transaction-record-id"])).toEqual([1, 2]);
  expect(records[1]?.["prev-transaction-id"]).toBe(records[0]?.["transaction-id"]);
  expect(new Set(records.map((metadata) => metadata["transaction-id"])).size).toBe(1);
});

test("the object-mapping rule decides the keys", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream, { rules: rulesFor("outbox", "type") });
  await changes(client, 8, 1);
  await untilCaughtUp(capture);
  const records = await stream.dataRecords();
  expect(records).toHaveLength(8);
  expect(new Set(records.map(({ partitionKey }) => partitionKey))).toEqual(new Set(["MemberMoved"]));
});

test("a table's updates and deletions are captured, and changes of other tables are not", async () => {
  const { captured, client, superuser } = await databaseUnderCapture();
  await superuser.query('create table "Extra" (id integer primary key, note varchar(20), "big[]" jsonb)');
  await superuser.query('alter table "Extra" alter column "big[]" set storage external');
  await superuser.query("create table other (odd bit(4)[], primary key (odd))");
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream, { rules: rulesFor("Extra", "id") });
  await superuser.query(`insert into "Extra" values (7, null, to_jsonb(repeat('x', 3000)))`);
  await superuser.query(`insert into other values (array[B'0101'])`);
  await superuser.query(`update "Extra" set note = 'it''s'`);
  await superuser.query(`update "Extra" set id = 8`);
  await superuser.query(`delete from "Extra"`);
  await superuser.query(`truncate "Extra", other`);
  await changes(client, 1, 1);
  await untilCaughtUp(capture);
  // In the order of their keys: records of different keys have no order.
  const records = (await stream.records()).sort((one, other) =>
    one.partitionKey.localeCompare(other.partitionKey),
  );
  expect(
    records.map(({ partitionKey, json }) => [partitionKey, json.metadata["operation"], json.data]),
  ).toEqual([
    ["7", "insert", { id: 7, note: null, "big[]": `"${"x".repeat(3000)}"` }],
    ["7", "update", { id: 7, note: "it's" }],
    ["8", "update", { id: 8, note: "it's" }],
    ["8", "delete", { id: 8, note: null, "big[]": null }],
    ["shop-capture.public.Extra", "create-table", undefined],
  ]);
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
  await untilCaughtUp(capture);
  const [record] = await stream.dataRecords();
  expect(JSON.parse(String(record?.json.data?.["payload"]))).toEqual({ change: {}, state: { note } });
});
