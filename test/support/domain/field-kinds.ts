/** What the fields of a table may hold, with values to drive through a store and to its subscribers. */
import fc from "fast-check";
import { z } from "zod";

/** A type of docs/fields.md: the schema of a field, its column, and values, of which some may be refused. */
export interface FieldKind {
  schema: () => z.ZodType;
  column: string;
  values: fc.Arbitrary<unknown>;
}

const texts = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "",
    " ",
    "x   ",
    "007",
    "7",
    "é",
    "e\u0301",
    "\\",
    "'",
    "{}",
    "null",
    "\0",
    "a\0b",
    "\ud83d",
    "😀",
    "\u2028",
    "\r\n",
  ),
);
/** For lists and maps: with many of the others in it, none would be taken. */
const plain = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("", "é", "😀", "null"));
const wholes = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, -1, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53)),
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
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-01:00",
    "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
  ),
);
const places = fc.record({ city: texts, zip: fc.option(wholes) }, { requiredKeys: ["city"] });
const placed = () => z.object({ city: z.string(), zip: z.int().nullish() });
const uuids = fc
  .uuid()
  .map((id) => id)
  .chain((id) => fc.constantFrom(id, id.toUpperCase()));

/** Every type of docs/fields.md in every type of column that may hold it. */
export const FIELD_KINDS: Record<string, FieldKind> = {
  "text in text": { schema: () => z.string(), column: "text", values: texts },
  "text in varchar(4)": { schema: () => z.string(), column: "varchar(4)", values: texts },
  "text in bigint": {
    schema: () => z.string(),
    column: "bigint",
    values: fc.oneof(
      texts,
      wholes.map(String),
      fc.constantFrom(
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "+1",
        "1e3",
      ),
    ),
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
  "a list": {
    schema: () => z.array(z.string()),
    column: "jsonb",
    values: fc.oneof(fc.array(texts), fc.array(plain)),
  },
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
  "any JSON": {
    schema: () => z.json(),
    column: "jsonb",
    values: fc.oneof(fc.jsonValue(), fc.array(plain), plain),
  },
  "lists in a map": {
    schema: () => z.record(z.string(), z.array(z.array(z.string().nullable()))),
    column: "jsonb",
    values: fc.dictionary(plain, fc.array(fc.array(fc.option(plain)))),
  },
  "a nullable object": {
    schema: () => z.object({ inner: z.object({ text: z.string().nullable() }).nullable() }).nullable(),
    column: "jsonb",
    values: fc.option(fc.record({ inner: fc.option(fc.record({ text: fc.option(texts) })) })),
  },
  "literals of several types": {
    schema: () => z.union([z.literal(1), z.literal("one"), z.literal(true)]),
    column: "jsonb",
    values: fc.constantFrom(1, "one", true, 2),
  },
  "a literal": {
    schema: () => z.literal(["a", "b"]),
    column: "varchar(1)",
    values: fc.constantFrom("a", "b", "c"),
  },
  "a template": {
    schema: () => z.templateLiteral(["SKU-", z.int()]),
    column: "text",
    values: fc.oneof(
      fc.integer().map((n) => `SKU-${n}`),
      texts,
    ),
  },
  "a text with a default": {
    schema: () => z.string().default("none"),
    column: "text",
    values: fc.option(texts, { nil: undefined }),
  },
  "a date in text": {
    schema: () => z.iso.date(),
    column: "varchar(10)",
    values: fc.constantFrom("2026-11-27", "0000-01-01", "2025-02-29"),
  },
  "a domain type": { schema: () => z.string(), column: "short", values: texts },
  anything: {
    schema: () => z.unknown(),
    column: "jsonb",
    values: fc.oneof(fc.jsonValue(), fc.array(plain), plain),
  },
  "a text or nothing": { schema: () => z.string().nullish(), column: "text", values: fc.option(texts) },
  "an optional number": {
    schema: () => z.int().optional(),
    column: "bigint",
    values: fc.option(wholes, { nil: undefined }),
  },
};
