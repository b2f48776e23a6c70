import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { decodeDmsRecord } from "../../../runtime/relay/kinesis-relay";
import { captureFixture, type StreamFixture, untilCaughtUp } from "./capture-fixture.js";
import { changes, type DatabaseUnderCapture, databaseUnderCapture } from "./captured-database.js";

let fixture: Awaited<ReturnType<typeof captureFixture>>;
beforeAll(async () => (fixture = await captureFixture()));
afterAll(() => fixture.close());

/** Inserts a row that the outbox refuses by now, as one that was there before its limits. */
async function insertOld({ superuser }: DatabaseUnderCapture, aggregateId: string): Promise<void> {
  await superuser.query("begin; set local session_replication_role = replica");
  await superuser.query("alter table outbox disable trigger all");
  await superuser.query(
    `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
     values (gen_random_uuid(), 'members.Member', $1, 1, 'MemberTouched', 1, '{"change": {}, "state": {}}', 'old')`,
    [aggregateId],
  );
  await superuser.query(
    "alter table outbox enable trigger all; alter table outbox enable always trigger outbox_limits",
  );
  await superuser.query("commit");
}

/** What the relay makes of each data record. */
async function relayed(stream: StreamFixture) {
  const records = await stream.dataRecords();
  return records.map(({ text, partitionKey }) => ({
    partitionKey,
    decoded: decodeDmsRecord(Buffer.from(text)),
  }));
}

test("a row without a partition key does not end the task, at no start, and reaches the relay's quarantine", async () => {
  const database = await databaseUnderCapture();
  const stream = await fixture.createStream();
  await insertOld(database, "");
  for (let start = 0; start < 2; start += 1) {
    const capture = await fixture.capture(database.captured, stream);
    const [id] = await changes(database.client, 1, 1);
    await untilCaughtUp(capture);
    await capture.stop();
    expect((await relayed(stream)).map(({ partitionKey }) => partitionKey)).toContain(id);
  }
  const undecodable = (await relayed(stream)).filter(({ decoded }) => decoded.kind === "undecodable");
  expect(undecodable).toEqual([
    {
      partitionKey: "public.outbox",
      decoded: expect.objectContaining({ reason: "Missing or wrong: aggregateId." }) as unknown,
    },
  ]);
});

test("a record that Kinesis refuses is replaced by one that the relay quarantines, and the others arrive", async () => {
  const database = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const [bad] = await changes(database.client, 1, 1);
  const send = KinesisClient.prototype.send as (...args: unknown[]) => Promise<unknown>;
  vi.spyOn(KinesisClient.prototype, "send").mockImplementation(function (this: unknown, ...args: unknown[]) {
    const [command] = args;
    const records = command instanceof PutRecordsCommand ? (command.input.Records ?? []) : [];
    if (records.some(({ PartitionKey }) => PartitionKey === bad)) {
      const $metadata = { httpStatusCode: 400 };
      return Promise.reject(
        Object.assign(new Error("Not this one"), { name: "ValidationException", $metadata }),
      );
    }
    return send.apply(this, args);
  } as never);
  const lines: string[] = [];
  const capture = await fixture.capture(
    database.captured,
    stream,
    {},
    { report: (line) => lines.push(line) },
  );
  const good = await changes(database.client, 3, 2);
  await untilCaughtUp(capture);
  const all = await relayed(stream);
  expect(
    all
      .filter(({ decoded }) => decoded.kind === "event")
      .map(({ partitionKey }) => partitionKey)
      .sort(),
  ).toEqual([...good, ...good].sort());
  expect(all.filter(({ decoded }) => decoded.kind === "undecodable")).toEqual([
    { partitionKey: "public.outbox", decoded: { kind: "undecodable", reason: "The record has no data." } },
  ]);
  expect(lines).toEqual([
    expect.stringMatching(
      /^Kinesis refuses the record of a change at \S+: ValidationException: Not this one\. The relay quarantines it$/,
    ),
  ]);
});

test("nothing in other tables ends the task, or is read at all", async () => {
  const database = await databaseUnderCapture();
  const { superuser, client, captured } = database;
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream);
  await superuser.query(`
    create schema other;
    create table other.outbox (id integer, "a[b]:c" text);
    create table "outbox: INSERT: id[uuid]" (id text);
    create table "BEGIN 1" (id text);
    create type mood as enum ('[]:', 'null');
    create table odd (m mood[], x xml, b bytea, i interval, n numeric, r int4range, j json, t text);
    insert into other.outbox values (1, E'table public.outbox: INSERT: id[uuid]:\\n\\'');
    insert into "outbox: INSERT: id[uuid]" values ('COMMIT 1');
    insert into "BEGIN 1" values ('x');
    insert into odd values (array['[]:', null]::mood[], '<a/>', decode(repeat('ff', 1000), 'hex'), '1 mon', 'NaN', 'empty', '{}', repeat('é', 3000000));
    update odd set t = null; delete from odd; truncate odd, other.outbox;
    select pg_logical_emit_message(false, 'table public.outbox', 'INSERT');
    select pg_logical_emit_message(true, 'BEGIN', E'COMMIT\\nBEGIN');
    select pg_logical_emit_message(true, 'binary', '\\xfffe00'::bytea);
  `);
  const ids = await changes(client, 2, 2);
  await untilCaughtUp(capture);
  const keys = (await stream.dataRecords()).map(({ partitionKey }) => partitionKey);
  expect(keys.sort()).toEqual([...ids, ...ids].sort());
});
