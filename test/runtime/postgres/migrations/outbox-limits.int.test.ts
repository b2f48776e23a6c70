import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Client } from "pg";
import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import { migrateDown, migrateUp } from "../../../../dist/runtime/postgres/migrate.js";
import { decodeCaptured } from "../../../../runtime/relay/decode-captured";
import { connect, freshDatabase } from "../../../support/postgres/postgres.js";

let client: Client;
/** The outbox without any guard of its own but the limits: nothing here has a change. */
beforeAll(async () => {
  const database = await freshDatabase();
  client = await connect(database.url);
  // Other checks of the insert are not under test; these limits must hold without them.
  await client.query(`
    do $$
    declare
      other record;
    begin
      for other in select tgname from pg_trigger where tgrelid = 'outbox'::regclass and not tgisinternal and tgname <> 'outbox_limits' loop
        execute format('alter table outbox disable trigger %I', other.tgname);
      end loop;
    end $$`);
});

const GOOD = {
  aggregate: "customers.Customer",
  aggregate_id: "c-1",
  aggregate_version: 1,
  type: "CustomerRelocated",
  schema_version: 1,
  payload: '{"change": {}, "state": {"city": "Oslo"}}',
  occurred_at: "2026-05-04T03:02:01.234Z",
  correlation_id: "request-1",
};
type Row = Record<keyof typeof GOOD, string | number>;

/** Inserts a row and takes it back. @returns the database's error, or what is captured of the row */
async function insert(overrides: Partial<Row>) {
  const row = { id: uuid(), ...GOOD, ...overrides };
  const columns = Object.keys(row);
  await client.query("begin; set local timezone = 'UTC'");
  try {
    const { rows } = await client.query<Record<string, unknown>>(
      `insert into outbox (${columns.join(", ")}) values (${columns.map((_, index) => `$${index + 1}`).join(", ")})
       returning *, payload::text as payload_text, occurred_at::text as occurred_text`,
      Object.values(row),
    );
    return { row: rows[0] ?? {} };
  } catch (error) {
    return {
      error: error as { code: string; constraint: string; column: string; message: string; hint: string },
    };
  } finally {
    await client.query("rollback");
  }
}
const payload = (change: string, state = "{}") => `{"change": ${change}, "state": ${state}}`;
const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;

describe("the outbox refuses", () => {
  test.each<[string, keyof Row, string | number]>([
    ["an empty id of the aggregate", "aggregate_id", ""],
    ["an empty aggregate", "aggregate", ""],
    ["an aggregate without a domain", "aggregate", "Customer"],
    ["an aggregate of an empty domain", "aggregate", ".Customer"],
    ["an aggregate without a name", "aggregate", "customers."],
    ["an aggregate of three parts", "aggregate", "shop.customers.Customer"],
    ["an aggregate with a colon", "aggregate", "customers.Cust:omer"],
    ["an empty type", "type", ""],
    ["a type with a colon", "type", "Customer:Relocated"],
    ["an empty correlation", "correlation_id", ""],
    ["a schema version 0", "schema_version", 0],
    ["a negative schema version", "schema_version", -3],
    ["a version 0", "aggregate_version", 0],
    ["no time", "occurred_at", "infinity"],
    ["the beginning of time", "occurred_at", "-infinity"],
    ["a time before the year 1", "occurred_at", "0044-03-15 00:00:00+00 BC"],
    ["a time after the year 9999", "occurred_at", "10000-01-01 00:00:00+00"],
    ["a payload that is a text", "payload", '"x"'],
    ["a payload that is null", "payload", "null"],
    ["a payload that is a list", "payload", "[]"],
    ["a payload without a change", "payload", '{"state": {}}'],
    ["a payload without a state", "payload", '{"change": {}}'],
    ["a change that is null", "payload", payload("null")],
    ["a change that is a list", "payload", payload("[]")],
    ["a state that is a list", "payload", payload("{}", "[]")],
    ["a state that is a text", "payload", payload("{}", '"x"')],
    ["a whole number that a double does not hold", "payload", payload('{"a": 9007199254740993}')],
    [
      "the same, negative and deep in the state",
      "payload",
      payload("{}", '{"a": [{"b": -9007199254740993}]}'),
    ],
    ["a number beyond every double", "payload", payload('{"a": 1e400}')],
    ["a number smaller than DynamoDB's", "payload", payload('{"a": 1e-131}')],
    ["a key that JavaScript treats specially", "payload", payload('{"a": {"__proto__": 1}}')],
    ["another one", "payload", payload("{}", '{"constructor": "x"}')],
    ["a change nested too deeply", "payload", payload(nested(32))],
    [
      "a state nested too deeply in lists",
      "payload",
      payload("{}", `{"a": ${"[".repeat(31)}${"]".repeat(31)}}`),
    ],
  ])("%s, with the column and a remedy", async (_, column, value) => {
    const { error } = await insert({ [column]: value });
    expect(error).toMatchObject({ code: "23514", constraint: "outbox_event", column });
    if (column !== "aggregate_version") expect(error?.hint).toMatch(/\.$/);
  });

  test("a payload without quoting it", async () => {
    const { error } = await insert({ payload: payload('{"iban": "DE02", "a": 9007199254740993}') });
    expect(JSON.stringify({ ...error, message: error?.message })).not.toMatch(/DE02|iban|9007199/);
  });

  test("an event also where triggers are switched off, as a replication role does", async () => {
    await client.query("set session_replication_role = replica");
    try {
      expect((await insert({ aggregate_id: "" })).error).toMatchObject({ code: "23514" });
    } finally {
      await client.query("reset session_replication_role");
    }
  });
});

describe("the outbox takes", () => {
  test.each<[string, Partial<Row>]>([
    ["an id of 256 characters, also of four bytes each", { aggregate_id: "😀".repeat(256) }],
    ["an id that is a space", { aggregate_id: " " }],
    ["names of other scripts and with line breaks", { aggregate: "кунде.Кунде", type: "Umge\nzogen" }],
    ["a state that is null", { payload: payload("{}", "null") }],
    ["the largest whole numbers", { payload: payload('{"a": [9007199254740991, -9007199254740991, 0]}') }],
    ["the smallest number of DynamoDB", { payload: payload('{"a": 1e-130, "b": 0.1, "c": 1.5}') }],
    ["sixteen digits in a text", { payload: payload('{"iban": "DE02120300000000202051"}') }],
    [
      "the name of a special key in a text",
      { payload: payload('{"a": "\\"__proto__\\": 1", "x\\"constructor": 2}') },
    ],
    ["31 levels", { payload: payload(nested(31), nested(31)) }],
    ["the first and the last time", { occurred_at: "9999-12-31 23:59:59.999+00" }],
  ])("%s", async (_, overrides) => {
    const { row, error } = await insert(overrides);
    expect(error).toBeUndefined();
    expect(row).toMatchObject({ aggregate_id: overrides.aggregate_id ?? "c-1" });
  });
});

test("What the outbox takes, the relay can decode, whatever is written", async () => {
  const mostly = <T>(usual: T, arbitrary: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary });
  const text = fc.oneof(
    fc.constantFrom(
      "",
      "customers.Customer",
      "a.b",
      "a.b.c",
      ".",
      ":",
      "CustomerRelocated",
      "a:b",
      "é",
      "\n",
    ),
    fc.string({ unit: "grapheme", maxLength: 12 }).map((one) => one.replaceAll("\0", "")),
  );
  const json = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(9007199254740991, 9007199254740992, 1e200, 1e-200, 5e-324, null, {}, []),
    fc.dictionary(fc.constantFrom("a", "__proto__", "constructor"), fc.constantFrom(1, 1e20, "x"), {
      maxKeys: 2,
    }),
  );
  const row = fc.record(
    {
      aggregate: mostly("customers.Customer", text),
      aggregate_id: text.filter((one) => one !== ""),
      aggregate_version: mostly(1, fc.integer({ min: -1, max: 2_147_483_647 })),
      type: mostly("CustomerRelocated", text),
      schema_version: mostly(1, fc.integer({ min: -1, max: 9 })),
      correlation_id: mostly("r", text),
      occurred_at: mostly(
        "2026-05-04",
        fc.constantFrom(
          "infinity",
          "0001-01-01 00:00:00+00",
          "12000-01-01 00:00:00+00",
          "2026-05-04 03:02:01+02",
        ),
      ),
      payload: fc
        .oneof(
          json,
          fc.record({ change: json, state: json }),
          fc.record({ change: fc.constant({}), state: json }),
        )
        .map((one) => JSON.stringify(one))
        .filter((one) => !one.includes("\\u0000") && !/\\ud[89a-f]/i.test(one)),
    },
    { requiredKeys: [] },
  );
  let taken = 0;
  let refused = 0;
  const property = fc.asyncProperty(row, async (overrides) => {
    const { row: stored, error } = await insert(overrides);
    if (error) {
      expect(error.code).toMatch(/^(23514|22001|22P05)$/);
      refused += 1;
      return;
    }
    taken += 1;
    const decoded = decodeCaptured({
      id: stored?.["id"],
      aggregate: stored?.["aggregate"],
      aggregateId: stored?.["aggregate_id"],
      aggregateVersion: stored?.["aggregate_version"],
      type: stored?.["type"],
      schemaVersion: stored?.["schema_version"],
      payload: stored?.["payload_text"],
      occurredAt: stored?.["occurred_text"],
      correlationId: stored?.["correlation_id"],
    });
    expect(decoded).toMatchObject({ kind: "event" });
  });
  await fc.assert(property, { numRuns: 500 });
  expect(taken).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(50);
});

test("Rows that are wrong already do not stop the migration, and stay; new ones are refused", async () => {
  const { url } = await freshDatabase({ migrated: false });
  const options = { databaseUrl: url, domainMigrations: join(tmpdir(), "no-such-folder"), domains: [] };
  const all = await migrateUp(options);
  const since = all.findIndex(({ name }) => name === "0008_outbox_limits");
  await migrateDown({ ...options, sequence: "framework", count: all.length - since });
  const old = await connect(url);
  await old.query("alter table outbox disable trigger user");
  const wrong = `insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload, correlation_id)
    values (gen_random_uuid(), 'x', '', 1, '', 0, '[]', '')`;
  await old.query(wrong);
  expect((await migrateUp(options)).map(({ name }) => name)).toEqual(
    all.slice(since).map(({ name }) => name),
  );
  expect((await old.query("select aggregate_id, type from outbox")).rows).toEqual([
    { aggregate_id: "", type: "" },
  ]);
  await expect(old.query(wrong)).rejects.toMatchObject({ constraint: "outbox_event" });
});
