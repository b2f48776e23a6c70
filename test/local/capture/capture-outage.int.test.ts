import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Capture } from "../../../dist/local/capture/capture.js";
import { startOwnPostgres } from "../../../dist/local/servers/postgres/own-postgres.js";
import type { PostgresServer } from "../../../dist/local/servers/postgres/postgres.js";
import { openRunDirectory, type RunDirectory } from "../../../dist/local/servers/run/run-directory.js";
import { migrateUp } from "../../../dist/runtime/postgres/migrate.js";
import { FIXTURE_MIGRATIONS } from "../../support/postgres/fixture-migrations.js";
import {
  type CapturedDatabase,
  captureFixture,
  type StreamFixture,
  untilCaughtUp,
} from "./capture-fixture.js";

// A server that only this file uses, because it is killed.
let fixture: Awaited<ReturnType<typeof captureFixture>>;
let run: RunDirectory;
let server: PostgresServer;
let captured: CapturedDatabase;

beforeAll(async () => {
  fixture = await captureFixture();
  run = await openRunDirectory(process.cwd());
  server = await startOwnPostgres({ run, report: () => {} });
  await server.createDatabase("shop");
  await migrateUp({
    databaseUrl: server.adminUrl("shop"),
    domainMigrations: FIXTURE_MIGRATIONS,
    domains: [],
  });
  await sql("alter table outbox disable trigger outbox_check");
  await sql("create role reader login replication password 'reader' in role monolith_capture");
  captured = {
    name: "shop",
    host: server.host,
    port: server.port,
    login: { user: "reader", password: "reader" },
  };
});
afterAll(async () => {
  await server.stop();
  await run.close();
  await fixture.close();
});

async function sql(text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: server.adminUrl("shop") });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

async function raise(): Promise<string> {
  const id = randomUUID();
  await sql(
    `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
     values ('${id}', 'test.Thing', '${id}', 1, 'Happened', 1, '{"change": {}, "state": {}}', 'test')`,
  );
  return id;
}

async function started(): Promise<{ stream: StreamFixture; capture: Capture; lines: string[] }> {
  const stream = await fixture.createStream();
  const lines: string[] = [];
  const capture = await fixture.capture(captured, stream, {}, { report: (line) => lines.push(line) });
  return { stream, capture, lines };
}

const ids = async (stream: StreamFixture) =>
  new Set((await stream.dataRecords()).map(({ partitionKey }) => partitionKey));

test("capture continues after PostgreSQL was killed and recovered, and nothing is lost", async () => {
  const { stream, capture, lines } = await started();
  const before = [await raise(), await raise()];
  await untilCaughtUp(capture);
  const last = await raise();
  const [reader] = await sql("select active_pid from pg_replication_slots where active");
  // A backend that is killed makes the server restart all of itself, as after a crash.
  process.kill(Number(reader?.["active_pid"]), "SIGKILL");
  await expect.poll(() => lines[0]).toBe("Lost the connection to the replication slot; reconnecting");
  await expect
    .poll(() => lines[1], { timeout: 20_000 })
    .toMatch(/^Reading the replication slot again, from [0-9A-F]+\/[0-9A-F]+$/);
  const after = await raise();
  await untilCaughtUp(capture);
  expect(await ids(stream)).toEqual(new Set([...before, last, after]));
});

test("capture continues after PostgreSQL was shut down and started again", async () => {
  const { stream, capture } = await started();
  const before = await raise();
  await untilCaughtUp(capture);
  await server.restart();
  const after = await raise();
  await untilCaughtUp(capture);
  expect([...(await ids(stream))]).toEqual(expect.arrayContaining([before, after]));
});

test("a capture can be stopped while the database is unavailable", async () => {
  const { capture, lines } = await started();
  const [reader] = await sql("select active_pid from pg_replication_slots where active");
  process.kill(Number(reader?.["active_pid"]), "SIGKILL");
  await expect.poll(() => lines.length).toBe(1);
  await capture.stop();
  expect(lines).toEqual(["Lost the connection to the replication slot; reconnecting"]);
  expect(await capture.isCaughtUp()).toBe(false);
  await expect.poll(() => sql("select 1 as up").catch(() => []), { timeout: 20_000 }).toEqual([{ up: 1 }]);
});

test("a slot that is dropped while it is read fails the task", async () => {
  const { capture } = await started();
  await expect
    .poll(() =>
      sql(`select pg_terminate_backend(active_pid, 1000) from pg_replication_slots where active;
           select pg_drop_replication_slot('shop_outbox')`).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  expect(await capture.failed).toMatchObject({ code: "CAPTURE_SLOT_MISSING" });
  await capture.stop();
});
