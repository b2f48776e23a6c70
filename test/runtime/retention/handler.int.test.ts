import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { mockClient } from "aws-sdk-client-mock";
import type { Client } from "pg";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { makeRetentionHandler } from "../../../runtime/retention/handler";
import { agedEvents, agedInboxRecords, confirmCapture, countOlder } from "../../support/postgres/aged-rows";
import { capturedLog } from "../../support/process/captured-log";
import { lambdaContext } from "../../support/domain/outbox-records";
import { connect, freshDatabase, type FreshDatabase } from "../../support/postgres/postgres";

const secrets = mockClient(SecretsManagerClient);
const log = capturedLog();
let database: FreshDatabase;
let superuser: Client;

beforeEach(async () => {
  database = await freshDatabase({ slot: true });
  // Before the connections of the file are closed: no slot may hold back the server's log for longer than its test.
  onTestFinished(() => database.drop());
  superuser = await connect(database.url);
  await superuser.query("alter table outbox disable trigger outbox_check");
  const { user, password } = database.as("monolith_retention");
  secrets.reset();
  secrets.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify({ username: user, password }) });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("DATABASE_HOST", database.host);
  vi.stubEnv("DATABASE_PORT", String(database.port));
  vi.stubEnv("DATABASE_NAME", database.name);
  vi.stubEnv("DATABASE_TLS", "disable");
  vi.stubEnv("DATABASE_SECRET_ARN", "arn:secret");
  vi.stubEnv("OUTBOX_RETENTION_DAYS", "30");
  vi.stubEnv("INBOX_RETENTION_DAYS", "30");
});

/** One run without pauses. */
function run({ batchRows = 500, batchBytes = 10_000_000, remainingMilliseconds = 300_000 } = {}) {
  const handle = makeRetentionHandler({ batchRows, batchBytes, pauseMilliseconds: 0 }).callbackFactory();
  return handle({}, lambdaContext(remainingMilliseconds));
}

test("5,000 old events and as many inbox records go batch by batch, and what is younger stays", async () => {
  await agedEvents(superuser, 5_000, 31);
  await agedEvents(superuser, 200, 29);
  await agedInboxRecords(superuser, 5_000, 31);
  await agedInboxRecords(superuser, 200, 29);
  await confirmCapture(superuser, database);
  expect(await run()).toEqual({ outbox: 5_000, inbox: 5_000, finished: true });
  expect([await countOlder(superuser, "outbox", 0), await countOlder(superuser, "inbox", 0)]).toEqual([
    200, 200,
  ]);
  expect(await run()).toEqual({ outbox: 0, inbox: 0, finished: true });
});

/** Rows that each transaction since the last confirmation removed. */
async function removals(): Promise<number[]> {
  const { rows } = await superuser.query<{ data: string }>(
    "select data from pg_logical_slot_get_changes($1, null, null, 'include-xids', '0')",
    [`${database.name}_outbox`],
  );
  const perTransaction = rows
    .map(({ data }) => data)
    .join("\n")
    .split("COMMIT")
    .map((transaction) => transaction.split("DELETE").length - 1)
    .filter((deletions) => deletions > 0);
  return perTransaction;
}

test("Each batch is a transaction of its own, with no more rows than told", async () => {
  await agedEvents(superuser, 25, 31);
  await confirmCapture(superuser, database);
  await run({ batchRows: 10 });
  expect(await removals()).toEqual([10, 10, 5]);
});

test("A batch has no more bytes than told, since the log holds removed rows whole; a row that has more goes alone", async () => {
  await agedEvents(superuser, 4, 31);
  await agedEvents(superuser, 1, 32, 20_000);
  await agedEvents(superuser, 5, 33, 2_000);
  await confirmCapture(superuser, database);
  const { outbox } = await run({ batchBytes: 10_000 });
  expect(outbox).toBe(10);
  expect(await removals()).toEqual([3, 2, 1, 4]);
});

test("A run ends before its time is over, and the next one goes on", async () => {
  await agedEvents(superuser, 25, 31);
  await agedInboxRecords(superuser, 5, 31);
  await confirmCapture(superuser, database);
  const short = { batchRows: 10, remainingMilliseconds: 20_000 };
  expect(await run(short)).toEqual({ outbox: 10, inbox: 5, finished: false });
  expect(await run(short)).toEqual({ outbox: 10, inbox: 0, finished: false });
  expect(await run(short)).toEqual({ outbox: 5, inbox: 0, finished: true });
});

test("Old events that capture has not confirmed stay, and the run fails, so that somebody looks", async () => {
  await agedEvents(superuser, 3, 40);
  await confirmCapture(superuser, database);
  await agedEvents(superuser, 2, 35);
  await agedInboxRecords(superuser, 4, 31);
  await expect(run()).rejects.toMatchObject({
    code: "OUTBOX_NOT_CAPTURED",
    message: expect.stringContaining('older than "30" days') as string,
  });
  expect(log).toContainEqual(expect.objectContaining({ outbox: 3, inbox: 4, blocked: true }));
  expect(await countOlder(superuser, "outbox", 30)).toBe(2);
  await confirmCapture(superuser, database);
  expect(await run()).toEqual({ outbox: 2, inbox: 0, finished: true });
});

test("Confirmed is what the capture of this database has confirmed, in the order of commits", async () => {
  const late = await connect(database.url);
  await late.query("begin");
  await agedEvents(late, 1, 40);
  await agedEvents(superuser, 1, 40);
  await superuser.query("select pg_log_standby_snapshot()");
  await superuser.query("select pg_replication_slot_advance($1, pg_current_wal_lsn())", [
    `${database.name}_outbox`,
  ]);
  await late.query("commit");
  await expect(run()).rejects.toMatchObject({ code: "OUTBOX_NOT_CAPTURED" });
  // What was confirmed is told by the oldest transaction that was running then, so the other one waits too.
  expect(await countOlder(superuser, "outbox", 30)).toBe(2);
  await confirmCapture(superuser, database);
  await run();
  expect(await countOlder(superuser, "outbox", 30)).toBe(0);
});

test("Nothing is removed from the outbox while there is no slot that keeps the log", async () => {
  await agedEvents(superuser, 3, 31);
  await confirmCapture(superuser, database);
  await superuser.query("select pg_drop_replication_slot($1)", [`${database.name}_outbox`]);
  await expect(run()).rejects.toMatchObject({ code: "OUTBOX_NOT_CAPTURED" });
  expect(await countOlder(superuser, "outbox", 30)).toBe(3);
});

test("Two runs at the same time remove each row once, and neither takes the other's rows for uncaptured", async () => {
  await agedEvents(superuser, 2_000, 31);
  await agedInboxRecords(superuser, 2_000, 31);
  await confirmCapture(superuser, database);
  const results = await Promise.all([run({ batchRows: 50 }), run({ batchRows: 50 })]);
  const sum = (table: "outbox" | "inbox") => results.reduce((all, result) => all + result[table], 0);
  expect([sum("outbox"), sum("inbox")]).toEqual([2_000, 2_000]);
});

test("A retention that is shorter than the database allows is refused by the database", async () => {
  vi.stubEnv("INBOX_RETENTION_DAYS", "18");
  await agedInboxRecords(superuser, 1, 18);
  await expect(run()).rejects.toMatchObject({ code: "DC003" });
  expect(await countOlder(superuser, "inbox", 18)).toBe(1);
});
