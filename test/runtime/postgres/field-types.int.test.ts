import fc from "fast-check";
import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { aggregate, table, type StagedChange } from "../../../runtime";
import type { KyselyHandle } from "../../../runtime/define/handles";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import { registerContracts } from "../../../runtime/postgres/contracts";
import { kyselyHandle } from "../../../runtime/postgres/store";
import { fieldOf } from "../../../runtime/store/fields";
import { canonical } from "../../../runtime/store/spelling";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";

/** A type of docs/fields.md: the schema of a field, its column, and values, of which some may be refused. */
interface Kind {
  schema: () => z.ZodType;
  column: string;
  values: fc.Arbitrary<unknown>;
}

const texts = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("", " ", "x   ", "007", "7", "é", "\\", "'", "{}", "null"),
);
const wholes = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, 2 ** 31, 2 ** 53 - 1, -(2 ** 53)),
);
const numbers = fc.oneof(wholes, fc.double(), fc.constantFrom(0.1, 1e-7, 1e-40, 12.3, 0.1 + 0.2, 1e15 + 0.5));
const times = fc.oneof(
  fc
    .integer({ min: 0, max: 4e9 })
    .map((seconds) => `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`),
  fc
    .date({ noInvalidDate: true, min: new Date("0001-01-01"), max: new Date("9999-12-31") })
    .map((date) => date.toISOString()),
  fc.constantFrom(
    "2026-11-27T09:30:00Z",
    "2026-11-27T09:30:00.5Z",
    "2026-11-27T09:30:00.123456Z",
    "2026-11-27T09:30:00.1234567Z",
    "2026-11-27T09:30:00+02:00",
    "2026-11-27T09:30:00.100-05:30",
    "0000-01-01T00:00:00Z",
  ),
);
const places = fc.record({ city: texts, zip: fc.option(wholes) }, { requiredKeys: ["city"] });
const placed = () => z.object({ city: z.string(), zip: z.int().nullish() });
const uuids = fc
  .uuid()
  .map((id) => id)
  .chain((id) => fc.constantFrom(id, id.toUpperCase()));

const KINDS: Record<string, Kind> = {
  "text in text": { schema: () => z.string(), column: "text", values: texts },
  "text in varchar(4)": { schema: () => z.string(), column: "varchar(4)", values: texts },
  "text in bigint": {
    schema: () => z.string(),
    column: "bigint",
    values: fc.oneof(texts, wholes.map(String)),
  },
  "text in numeric": {
    schema: () => z.string(),
    column: "numeric(12, 2)",
    values: fc.oneof(
      texts,
      fc.constantFrom("12.30", "12.3", "1.005", "-7.00", "0.05"),
      fc.integer().map((cents) => (cents / 100).toFixed(2)),
    ),
  },
  "text in uuid": { schema: () => z.string(), column: "uuid", values: fc.oneof(texts, fc.uuid(), uuids) },
  "an enum": {
    schema: () => z.enum(["red", "green"]),
    column: "colour",
    values: fc.constantFrom("red", "green", "blue"),
  },
  "a uuid in uuid": { schema: () => z.uuid(), column: "uuid", values: uuids },
  "a uuid in text": { schema: () => z.uuid(), column: "text", values: uuids },
  "a time in timestamptz": {
    schema: () => z.iso.datetime({ offset: true }),
    column: "timestamptz",
    values: times,
  },
  "a time in timestamptz(0)": {
    schema: () => z.iso.datetime({ offset: true }),
    column: "timestamptz(0)",
    values: times,
  },
  "a time of no decimals": {
    schema: () => z.iso.datetime({ precision: 0 }),
    column: "timestamptz",
    values: times,
  },
  "a time of minutes": {
    schema: () => z.iso.datetime({ precision: -1 }),
    column: "timestamptz",
    values: fc.oneof(times, fc.constant("2026-11-27T09:30Z")),
  },
  "a time of 6 decimals": {
    schema: () => z.iso.datetime({ precision: 6 }),
    column: "timestamptz",
    values: times,
  },
  "a time in text": { schema: () => z.iso.datetime({ offset: true }), column: "text", values: times },
  "a date": {
    schema: () => z.iso.date(),
    column: "date",
    values: fc.oneof(
      times.map((time) => time.slice(0, 10)),
      fc.constant("2025-02-29"),
    ),
  },
  "a whole number in smallint": {
    schema: () => z.int(),
    column: "smallint",
    values: fc.oneof(fc.integer({ min: -40_000, max: 40_000 }), wholes),
  },
  "a whole number in integer": { schema: () => z.number().int(), column: "integer", values: wholes },
  "a whole number in bigint": { schema: () => z.int(), column: "bigint", values: wholes },
  "a whole number in numeric(15)": { schema: () => z.int(), column: "numeric(15)", values: wholes },
  "a number in double precision": { schema: () => z.number(), column: "double precision", values: numbers },
  "a number in integer": {
    schema: () => z.number(),
    column: "integer",
    values: fc.oneof(fc.integer(), numbers),
  },
  "a number in numeric(9, 2)": {
    schema: () => z.number(),
    column: "numeric(9, 2)",
    values: fc.oneof(
      fc.integer({ max: 99_999_999 }).map((cents) => cents / 100),
      numbers,
    ),
  },
  "a boolean": {
    schema: () => z.boolean(),
    column: "boolean",
    values: fc.oneof(fc.boolean(), fc.constantFrom("true", 1)),
  },
  "a list": { schema: () => z.array(z.string()), column: "jsonb", values: fc.array(texts) },
  "an object": { schema: placed, column: "jsonb", values: places },
  "a list of objects": { schema: () => z.array(placed()), column: "jsonb", values: fc.array(places) },
  "a map": {
    schema: () => z.record(z.string(), z.number()),
    column: "jsonb",
    values: fc.oneof(fc.dictionary(texts, fc.integer()), fc.dictionary(texts, numbers)),
  },
  "a tuple": {
    schema: () => z.tuple([z.string()], z.number()),
    column: "jsonb",
    values: fc.tuple(texts, numbers),
  },
  "a variant": {
    schema: () =>
      z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("card"), last4: z.string() }),
        z.object({ kind: z.literal("cash"), cents: z.int() }),
      ]),
    column: "jsonb",
    values: fc.oneof(
      fc.record({ kind: fc.constant("card"), last4: texts }),
      fc.record({ kind: fc.constantFrom("cash", "card"), cents: wholes }),
    ),
  },
  "any JSON": { schema: () => z.json(), column: "jsonb", values: fc.jsonValue() },
  anything: { schema: () => z.unknown(), column: "jsonb", values: fc.jsonValue() },
  "a text or nothing": { schema: () => z.string().nullish(), column: "text", values: fc.option(texts) },
  "an optional number": {
    schema: () => z.int().optional(),
    column: "bigint",
    values: fc.option(wholes, { nil: undefined }),
  },
};
const REFUSALS = /^(INVALID_STATE|INVALID_VALUE|VALUE_CHANGED)$/;

let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
  await bank.admin.query("create type colour as enum ('red', 'green', 'blue')");
});

describe.each(Object.entries(KINDS))("%s", (name, { schema, column, values }) => {
  test(
    "is read, and published, as it was given in its one spelling, or refused by a code",
    { timeout: 120_000 },
    async () => {
      const index = Object.keys(KINDS).indexOf(name);
      const tableName = `things_${index}`;
      const Thing = aggregate(`test.Thing${index}`, {
        key: "thingId",
        state: () => z.object({ thingId: z.uuid(), value: schema() }),
        events: { ThingPut: () => z.object({}) },
      });
      const things = table(Thing, { private: () => z.object({ secret: schema().optional() }) });
      const field = fieldOf(schema(), "value");
      const notNull = field.isNullable || field.isOptional ? "" : "not null";
      await bank.admin.query(`
      create table ${tableName} (thing_id uuid primary key, value ${column} ${notNull}, secret ${column}, version integer not null);
      grant select, insert, update, delete on ${tableName} to monolith_application;
      select guard_entity_table('${tableName}', '${Thing.name}', 'thing_id')`);
      await registerContracts(bank.admin, [{ domain: "test", name: tableName, definition: things }]);
      const handle = kyselyHandle(bank.db, tableName, things) as unknown as KyselyHandle<
        string,
        typeof things
      >;
      const commit = (staged: StagedChange) =>
        commitToPostgres(bank.db, [staged], { correlationId: "test" }).catch(
          (error: unknown) => error as { code: string },
        );
      let kept = 0;
      const property = fc.asyncProperty(values, values, values, async (first, second, secret) => {
        const thingId = uuid();
        const expected: unknown[] = [];
        const put = async (staged: StagedChange, value: unknown) => {
          const result = await commit(staged);
          if ("code" in result) return expect(result.code).toMatch(REFUSALS);
          expect(result).toMatchObject({ outcome: "committed" });
          expected.push(value);
          kept += 1;
          const row = (await handle.find(thingId)) as { value: unknown } | undefined;
          expect(row?.value).toEqual(same(value));
          const [selected] = await handle
            .select()
            .select("value" as never)
            .where("thingId" as never, "=", thingId as never)
            .execute();
          expect((selected as { value?: unknown }).value).toEqual(same(value));
        };
        const same = (value: unknown) => {
          const known = canonical(field, value) ?? (field.isNullable ? null : undefined);
          return JSON.parse(JSON.stringify({ known })).known as unknown;
        };
        await put(
          handle.create({ thingId, value: first, secret } as never).raise("ThingPut" as never, {} as never),
          first,
        );
        const read = await handle.find(thingId);
        if (read)
          await put(
            handle.update(read as never, { value: second } as never).raise("ThingPut" as never, {} as never),
            second,
          );
        const states = (await bank.events(thingId)).map(
          ({ payload }) => (payload.state as { value?: unknown }).value,
        );
        expect(states).toEqual(expected.map(same));
      });
      await fc.assert(property, { numRuns: 40 });
      expect(kept).toBeGreaterThan(0);
    },
  );
});
