import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, freshDatabase } from "../../support/postgres/postgres.js";
import { migrateUp } from "../../../dist/runtime/postgres/migrate.js";
import { FIXTURE_MIGRATIONS } from "../../support/postgres/fixture-migrations.js";
import { type CapturedDatabase, captureFixture, untilCaughtUp } from "./capture-fixture.js";
import { changes } from "./captured-database.js";
import { rulesFor, type TaskInputOverrides } from "./task-inputs.js";

let fixture: Awaited<ReturnType<typeof captureFixture>>;
let captured: CapturedDatabase;
let adminUrl: string;

beforeAll(async () => {
  fixture = await captureFixture();
  const fresh = await freshDatabase({ slot: true });
  adminUrl = fresh.url;
  captured = { name: fresh.name, host: fresh.host, port: fresh.port, login: fresh.as("monolith_capture") };
});
afterAll(() => fixture.close());

async function refusal(
  overrides: TaskInputOverrides,
  database = captured,
): Promise<{ code: string; message: string }> {
  const stream = await fixture.createStream();
  return fixture.capture(database, stream, overrides).then(
    () => Promise.reject(new Error("It started")),
    (error: { code: string; message: string }) => error,
  );
}

test("a slot that does not exist", async () => {
  expect(await refusal({ postgres: { slotName: "nothing" } })).toMatchObject({
    code: "CAPTURE_SLOT_MISSING",
    message:
      `There is no replication slot "nothing" (postgresSettings.slotName). Run "npm run migrate", which creates ` +
      `"${captured.name}_outbox" where it is missing, or correct the name. What was committed without a slot is in the outbox and is not captured`,
  });
});

test("a database that was restored without its slot, until the remedy of the message is followed", async () => {
  const { url, name, host, port, as } = await freshDatabase();
  const restored = { name, host, port, login: as("monolith_capture") };
  expect(await refusal({}, restored)).toMatchObject({
    code: "CAPTURE_SLOT_MISSING",
    message: expect.stringContaining('Run "npm run migrate"') as string,
  });
  await migrateUp({ databaseUrl: url, domainMigrations: FIXTURE_MIGRATIONS, domains: [] });
  const stream = await fixture.createStream();
  const capture = await fixture.capture(restored, stream);
  const [id] = await changes(await connect(url), 1, 2);
  await untilCaughtUp(capture);
  const records = await stream.dataRecords();
  expect(records.map(({ partitionKey, json }) => [partitionKey, json.data?.["aggregate_version"]])).toEqual([
    [id, 1],
    [id, 2],
  ]);
});

test("a slot of another plugin, and one of another database", async () => {
  const admin = await connect(adminUrl);
  await admin.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [
    `${captured.name}_pgoutput`,
  ]);
  expect(await refusal({ postgres: { slotName: `${captured.name}_pgoutput` } })).toMatchObject({
    code: "CAPTURE_SLOT_UNUSABLE",
    message: expect.stringContaining(
      'was created for the plugin "pgoutput", not for test_decoding (postgresSettings.pluginName)',
    ) as string,
  });
  const other = await freshDatabase({ slot: true });
  expect(await refusal({ postgres: { slotName: `${other.name}_outbox` } })).toMatchObject({
    code: "CAPTURE_SLOT_UNUSABLE",
    message: expect.stringContaining(
      `belongs to database "${other.name}", not to "${captured.name}"`,
    ) as string,
  });
});

test("a start position that would skip changes, with the position that skips none", async () => {
  const admin = await connect(adminUrl);
  const { rows } = await admin.query<{ position: string }>(
    "select confirmed_flush_lsn::text as position from pg_replication_slots where slot_name = $1",
    [`${captured.name}_outbox`],
  );
  const position = rows[0]?.position ?? "";
  expect(await refusal({ task: { cdcStartPosition: "FFFFFFFF/0" } })).toMatchObject({
    code: "CAPTURE_START_TOO_LATE",
    message:
      `The task starts at FFFFFFFF/0 (cdcStartPosition), and would skip what the replication slot "${captured.name}_outbox" has ` +
      `from ${position} on. Set captureStartPosition to ${position}`,
  });
});

test("a selection rule that names a table that does not exist", async () => {
  expect(await refusal({ rules: rulesFor("Outbox", "aggregate_id") })).toMatchObject({
    code: "CAPTURE_TABLE_MISSING",
    message: expect.stringMatching(
      /^The database has no table "public.Outbox", which the selection rule names/,
    ) as string,
  });
});

test("a table with a column of a type that the local capture does not know", async () => {
  const admin = await connect(adminUrl);
  await admin.query("create table amounts (id uuid primary key, amount numeric(10, 2))");
  expect(await refusal({ rules: rulesFor("amounts", "id") })).toMatchObject({
    code: "CAPTURE_COLUMN_UNSUPPORTED",
    message: expect.stringMatching(
      /^The column "amount" of table "public.amounts" has the type "numeric". The local capture supports uuid, /,
    ) as string,
  });
});

test("a partition key of a column that does not exist", async () => {
  expect(await refusal({ rules: rulesFor("outbox", "aggregateId") })).toMatchObject({
    code: "CAPTURE_MAPPINGS_INVALID",
    message: expect.stringMatching(
      /^The object-mapping rule of table "public.outbox" names the column "aggregateId", which the table does not have. It has id, aggregate, /,
    ) as string,
  });
});

test("a heartbeat in a schema where the capture role may not create its table", async () => {
  expect(await refusal({ postgres: { heartbeatSchema: "public" } })).toMatchObject({
    code: "CAPTURE_HEARTBEAT_REFUSED",
    message: expect.stringContaining(
      'Set heartbeatSchema to "awsdms", the schema that the migrations create for it',
    ) as string,
  });
});

test("a wrong password", async () => {
  expect(await refusal({}, { ...captured, login: { ...captured.login, password: "wrong" } })).toMatchObject({
    code: "CAPTURE_SOURCE_UNREACHABLE",
    message: expect.stringContaining("password authentication failed") as string,
  });
});

test("a stream that does not exist, and a role that may not write to it", async () => {
  const streamArn = "arn:aws:kinesis:us-east-1:000000000000:stream/nothing";
  expect(await refusal({ kinesis: { streamArn } })).toMatchObject({ code: "CAPTURE_STREAM_REFUSED" });
  const unwritable = await fixture.createStream(["kinesis:DescribeStream"]);
  await expect(fixture.capture(captured, unwritable)).rejects.toMatchObject({
    code: "CAPTURE_STREAM_REFUSED",
    message: expect.stringContaining("AccessDenied") as string,
  });
});

test("a refused start leaves the slot free", async () => {
  await refusal({ rules: rulesFor("nothing", "id") });
  const admin = await connect(adminUrl);
  const { rows } = await admin.query("select active from pg_replication_slots where slot_name = $1", [
    `${captured.name}_outbox`,
  ]);
  expect(rows).toEqual([{ active: false }]);
});
