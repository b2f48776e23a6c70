import { describe, expect, test } from "vitest";
import { z } from "zod";
import { fieldOf, fieldsOf } from "../../../runtime/store/fields";
import { canonical, canonicalRow, rowOf } from "../../../runtime/store/spelling";

interface Tree {
  of: Tree[];
}
const tree: z.ZodType<Tree> = z.lazy(() => z.object({ of: z.array(tree) }));
const loose: z.ZodType = z.lazy(() =>
  z.union([
    z.string().min(1),
    z.number(),
    z.boolean(),
    z.null(),
    z.array(loose),
    z.record(z.string(), loose),
  ]),
);

describe("the schema of a state or a change is refused where it", () => {
  test.each<[string, z.ZodType]>([
    ["transforms", z.string().transform(Number)],
    ["transforms at a depth", z.array(z.object({ a: z.int().transform((n) => n * 100) }))],
    ["pipes into a transform", z.string().pipe(z.transform((text) => text))],
    ["is a codec", z.codec(z.string(), z.int(), { decode: Number, encode: String })],
    ["preprocesses", z.preprocess(String, z.string())],
    ["catches", z.string().catch("")],
    ["fills in before it checks", z.string().prefault("")],
    ["coerces", z.coerce.number()],
    ["trims", z.string().trim()],
    ["lowers", z.string().toLowerCase()],
    ["raises", z.string().toUpperCase()],
    ["normalizes", z.string().normalize()],
    ["slugifies", z.string().slugify()],
    ["overwrites", z.number().overwrite(Math.round)],
    ["reads texts as booleans", z.stringbool()],
    ["is a date", z.date()],
    ["is a bigint", z.bigint()],
    ["is a map", z.map(z.string(), z.string())],
    ["is a set in a list", z.array(z.set(z.string()))],
    ["is a file", z.file()],
    ["is a symbol", z.symbol()],
    ["takes other fields", z.looseObject({})],
    ["takes other fields at a depth", z.array(z.object({}).catchall(z.string()))],
    ["refers to itself", tree],
    ["is nearly any JSON", loose],
    ["is one of two objects", z.union([z.object({ a: z.string() }), z.object({ b: z.string() })])],
  ])("%s", (_, schema) => {
    expect(() => fieldOf(schema, "field")).toThrow(expect.objectContaining({ code: "FIELD_UNUSABLE" }));
    expect(() => fieldsOf(z.object({ field: schema }), true)).toThrow(/^The field "field/);
  });
});

test("z.json() is any JSON, on its own and in lists, records and objects", () => {
  expect(fieldOf(z.json(), "field")).toMatchObject({
    kind: "json",
    shape: { kind: "any" },
    isNullable: true,
    isOptional: false,
  });
  expect(fieldOf(z.json().optional(), "field")).toMatchObject({ isOptional: true });
  expect(fieldOf(z.array(z.json()), "field").shape).toEqual({ kind: "list", of: { kind: "any" } });
  expect(fieldOf(z.record(z.string(), z.json()), "field").shape).toEqual({
    kind: "map",
    of: { kind: "any" },
  });
  expect(fieldOf(z.object({ a: z.json() }), "field").shape).toMatchObject({ fields: { a: { kind: "any" } } });
});

describe("a value is kept in one spelling:", () => {
  const [uuid, time, none, micros] = [
    z.uuid(),
    z.iso.datetime({ offset: true }),
    z.iso.datetime({ precision: 0, offset: true }),
    z.iso.datetime({ precision: 6 }),
  ].map((schema) => fieldOf(schema, "field"));
  test.each([
    [uuid, "0A2E4C5D-1111-4222-8333-44445555AAAF", "0a2e4c5d-1111-4222-8333-44445555aaaf"],
    [uuid, "No UUID", "No UUID"],
    [time, "2026-11-27T09:30:00+02:00", "2026-11-27T07:30:00.000Z"],
    [time, "2026-11-27T09:30:00.120000Z", "2026-11-27T09:30:00.120Z"],
    [time, "2026-11-27T09:30:00.123456Z", "2026-11-27T09:30:00.123456Z"],
    [time, "0001-01-01T00:00:00+14:00", "0000-12-31T10:00:00.000Z"],
    [none, "2026-11-27T09:30:00+00:30", "2026-11-27T09:00:00Z"],
    [micros, "2026-11-27T09:30:00.100000Z", "2026-11-27T09:30:00.100000Z"],
    [fieldOf(z.string(), "field"), "ABC", "ABC"],
  ])("%#", (field, given, kept) => {
    expect(canonical(field!, given)).toBe(kept);
    expect(canonical(field!, kept)).toBe(kept);
    expect(canonicalRow({ value: field! }, { value: given, other: given })).toEqual({
      value: kept,
      other: given,
    });
  });
});

test("an item is read as a row of PostgreSQL is: what its schemas name, and no null where a field is only optional", () => {
  const fields = fieldsOf(
    z.object({
      id: z.string(),
      note: z.string().optional(),
      city: z.string().nullish(),
      place: z.object({ zip: z.string() }).optional(),
      parts: z.array(z.object({ sku: z.string() })),
      pair: z.tuple([z.object({ a: z.int() })], z.object({ b: z.int() })),
      by: z.record(z.string(), z.object({ n: z.int() })),
      paid: z.discriminatedUnion("with", [z.object({ with: z.literal("card"), last4: z.string() })]),
    }),
  );
  const both = { a: 1, b: 2 };
  const item = {
    ...{ id: "1", note: null, other: "private", place: { zip: "1", iban: "private" } },
    ...{ parts: [{ sku: "s", cost: 1 }], pair: [both, both], by: { x: { n: 1, cost: 2 } } },
    paid: { with: "card", last4: "4242", number: "private" },
  };
  expect(rowOf(fields, item)).toEqual({
    ...{ id: "1", city: null, place: { zip: "1" }, parts: [{ sku: "s" }], pair: [{ a: 1 }, { b: 2 }] },
    ...{ by: { x: { n: 1 } }, paid: { with: "card", last4: "4242" } },
  });
});
