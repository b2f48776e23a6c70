import { afterAll, beforeAll, expect, test } from "vitest";
import { rawMember, transaction } from "../../runtime/postgres/migrations/guarded-member.js";
import { connect } from "../../support/postgres/postgres.js";
import { captureFixture, untilCaughtUp } from "./capture-fixture.js";
import { changes, databaseUnderCapture } from "./captured-database.js";

let fixture: Awaited<ReturnType<typeof captureFixture>>;

beforeAll(async () => (fixture = await captureFixture()));
afterAll(() => fixture.close());

test("a crash between putting and acknowledging repeats events and loses none", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  let putsUntilCrash = 3;
  const crashing = await fixture.capture(
    captured,
    stream,
    {},
    {
      beforeAcknowledge: () => {
        putsUntilCrash -= 1;
        return putsUntilCrash > 0 ? Promise.resolve() : Promise.reject(new Error("Crash"));
      },
    },
  );
  const ids = await changes(client, 5, 4);
  expect(await crashing.failed).toMatchObject({
    code: "CAPTURE_FAILED",
    message: "Change data capture failed: Crash",
  });
  const beforeRestart = await stream.dataRecords();

  const capture = await fixture.capture(captured, stream);
  await untilCaughtUp(capture);
  const records = await stream.dataRecords();
  for (const id of ids) {
    const versions = records
      .filter(({ partitionKey }) => partitionKey === id)
      .map(({ json }) => Number(json.data?.["aggregate_version"]));
    expect([...new Set(versions)]).toEqual([1, 2, 3, 4]);
  }
  expect(beforeRestart.length).toBeGreaterThan(0);
  expect(records.length).toBeGreaterThan(20);
});

test("a crash between reading and putting loses nothing", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const crashing = await fixture.capture(
    captured,
    stream,
    {},
    { beforePut: () => Promise.reject(new Error("Crash")) },
  );
  const ids = await changes(client, 3, 2);
  expect(await crashing.failed).toMatchObject({ code: "CAPTURE_FAILED" });
  expect(await stream.dataRecords()).toEqual([]);

  const capture = await fixture.capture(captured, stream);
  await untilCaughtUp(capture);
  const keys = (await stream.dataRecords()).map(({ partitionKey }) => partitionKey);
  expect(keys.sort()).toEqual([...ids, ...ids].sort());
});

test("what is acknowledged is not sent again, and what is committed meanwhile waits in the slot", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const first = await fixture.capture(captured, stream);
  await changes(client, 3, 1);
  await untilCaughtUp(first);
  await first.stop();
  await first.stop();
  await changes(client, 4, 1);
  let records = 0;
  const second = await fixture.capture(captured, stream, {}, { onRecord: () => (records += 1) });
  await untilCaughtUp(second);
  expect(await stream.dataRecords()).toHaveLength(7);
  expect(records).toBe(4);
});

test("many writers at once lose nothing over many restarts", async () => {
  const { captured, fresh } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const writers = await Promise.all(
    Array.from({ length: 4 }, () => connect(fresh.as("monolith_application").url)),
  );
  let writing = true;
  const written = Promise.all(writers.map((client) => changes(client, 40, 2))).finally(
    () => (writing = false),
  );
  let restarts = 0;
  while (writing) {
    const crashing = await fixture.capture(
      captured,
      stream,
      {},
      {
        beforeAcknowledge: () =>
          Math.random() < 0.3 ? Promise.reject(new Error("Crash")) : Promise.resolve(),
      },
    );
    await Promise.race([crashing.failed, written]);
    await crashing.stop();
    restarts += 1;
  }
  const ids = (await written).flat();
  const last = await fixture.capture(captured, stream);
  await untilCaughtUp(last);
  const seen = new Set(
    (await stream.dataRecords()).map(
      ({ partitionKey, json }) => `${partitionKey} ${String(json.data?.["aggregate_version"])}`,
    ),
  );
  expect(restarts).toBeGreaterThan(1);
  expect(seen.size).toBe(320);
  for (const id of ids) expect([seen.has(`${id} 1`), seen.has(`${id} 2`)]).toEqual([true, true]);
});

test("the slot of an idle database advances, so that the server need not retain its log", async () => {
  const { captured, superuser, fresh } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream);
  const confirmed = async () =>
    (
      await superuser.query<{ lsn: string }>(
        "select confirmed_flush_lsn as lsn from pg_replication_slots where slot_name = $1",
        [`${fresh.name}_outbox`],
      )
    ).rows[0]?.lsn;
  const before = await confirmed();
  await superuser.query("create table unrelated as select generate_series(1, 1000) as n");
  await untilCaughtUp(capture);
  await expect.poll(confirmed).not.toBe(before);
  expect((await superuser.query("select from awsdms.awsdms_heartbeat")).rowCount).toBe(1);
  expect(await stream.dataRecords()).toEqual([]);
});

test("a payload over LobMaxSize fails the task, which says what to raise, and the event stays in the slot", async () => {
  const { captured, client } = await databaseUnderCapture();
  const stream = await fixture.createStream();
  const capture = await fixture.capture(captured, stream, { targetMetadata: { LobMaxSize: 32 } });
  const member = rawMember(client);
  await transaction(client, async () => {
    await member.insert();
    await member.event(1, JSON.stringify({ change: {}, state: { note: "x".repeat(20_000) } }));
  });
  expect(await capture.failed).toMatchObject({
    code: "CAPTURE_LOB_TRUNCATED",
    message: expect.stringMatching(
      /^The column "payload" has a value of 40 KiB as DMS counts it, more than the task's LobMaxSize of 32 KiB/,
    ) as string,
  });
  const again = await fixture.capture(captured, stream);
  await untilCaughtUp(again);
  expect(await stream.dataRecords()).toHaveLength(1);
});
