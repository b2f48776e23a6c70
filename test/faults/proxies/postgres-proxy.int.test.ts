import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type PostgresProxy,
  startPostgresProxy,
  type StatementFault,
} from "../../../dist/test/faults/proxies/postgres-proxy.js";
import { connect, freshDatabase, type FreshDatabase } from "../../support/postgres/postgres";

let database: FreshDatabase;
let proxy: PostgresProxy;
let admin: Client;
let fault: StatementFault | undefined;
let asked = 0;
let texts: string[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  const { host, port } = database;
  proxy = await startPostgresProxy({
    host,
    port,
    decide: (_caller, text) => {
      asked += 1;
      texts.push(text);
      const now = fault;
      fault = undefined;
      return Promise.resolve(now);
    },
  });
  admin = await connect(database.url);
  await admin.query("create table noted (what text)");
});
beforeEach(async () => {
  await admin.query("truncate noted");
  fault = undefined;
  asked = 0;
  texts = [];
});
afterAll(async () => {
  await proxy.stop();
});

async function connected(applicationName = "1.orders-commands-1a2b3c4"): Promise<Client> {
  const url = new URL(database.url);
  url.port = String(proxy.port);
  const client = new Client({ connectionString: url.href, application_name: applicationName });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
const noted = async () =>
  (await admin.query<{ what: string }>("select what from noted")).rows.map(({ what }) => what);
const note = (client: Client, what: string) => client.query("insert into noted values ($1)", [what]);

test("statements are passed on, and a function is asked about once for each", async () => {
  const client = await connected();
  await note(client, "one");
  await client.query("select 1");
  expect(await noted()).toEqual(["one"]);
  expect(asked).toBe(2);
  await client.end();
});

test("each decision gets the SQL of its statement, also of one that was prepared before", async () => {
  const client = await connected();
  await client.query("begin");
  for (const what of ["one", "two"])
    await client.query({ name: "note", text: "insert into noted values ($1)", values: [what] });
  await client.query("commit");
  expect(texts).toEqual([
    "begin",
    "insert into noted values ($1)",
    "insert into noted values ($1)",
    "commit",
  ]);
  await client.end();
});

test("statements of other clients are passed on without a decision", async () => {
  const client = await connected("psql");
  await note(client, "one");
  expect(asked).toBe(0);
  await client.end();
});

test("a connection that is cut before a statement leaves it undone", async () => {
  const client = await connected();
  fault = { do: "cut" };
  await expect(note(client, "one")).rejects.toThrow("Connection terminated");
  expect(await noted()).toEqual([]);
});

test("a statement whose answer is lost is done", async () => {
  const client = await connected();
  fault = { do: "lose answer" };
  await expect(note(client, "one")).rejects.toThrow("Connection terminated");
  expect(await noted()).toEqual(["one"]);
});

test("a COMMIT whose answer is lost is done, and one that was cut off is not", async () => {
  for (const last of [{ do: "lose answer" }, { do: "cut" }] as const) {
    const client = await connected();
    await client.query("begin");
    await note(client, last.do);
    fault = last;
    await expect(client.query("commit")).rejects.toThrow("Connection terminated");
  }
  expect(await noted()).toEqual(["lose answer"]);
});

test("a connection that is cut in flight ends for the client, whatever becomes of the statement", async () => {
  const client = await connected();
  fault = { do: "cut in flight" };
  await expect(note(client, "one")).rejects.toThrow("Connection terminated");
});

test("a spoiled session stays spoiled, and the client sees only its own answers", async () => {
  const client = await connected();
  fault = { do: "spoil", sql: "set default_transaction_read_only = on" };
  await expect(note(client, "one")).rejects.toMatchObject({ code: "25006" });
  expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await expect(note(client, "two")).rejects.toMatchObject({ code: "25006" });
  await client.end();
});

test("a session is not spoiled within a transaction", async () => {
  const client = await connected();
  await client.query("begin");
  fault = { do: "spoil", sql: "set default_transaction_read_only = on" };
  await note(client, "one");
  await client.query("commit");
  expect(await noted()).toEqual(["one"]);
  await client.end();
});

test("a statement is cancelled while it runs, and the connection stays", async () => {
  const client = await connected();
  fault = { do: "cancel", afterMilliseconds: 200 };
  await expect(client.query("select pg_sleep(5)")).rejects.toMatchObject({ code: "57014" });
  await note(client, "one");
  expect(await noted()).toEqual(["one"]);
  await client.end();
});
