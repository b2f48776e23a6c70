import { describe, expect, test } from "vitest";
import { z } from "zod";
import { command } from "../../../runtime";
import { answerCommand } from "../../../runtime/command/handler";
import { fakeStore } from "../../support/domain/fake-store";

/** What a command's handler receives of an input as JSON, or the answer that refuses it. */
async function received(input: z.ZodType, sent: unknown): Promise<unknown> {
  const got: unknown[] = [];
  const take = command({ uses: {}, input: () => input, handle: async (data) => (got.push(data), []) });
  const answer = await answerCommand("shop", { take }, fakeStore(), { command: "take", input: sent });
  return answer.outcome === "done" ? got[0] : answer;
}

const [LOWER, UPPER] = ["0a2e4c5d-1111-4222-8333-44445555aaaf", "0A2E4C5D-1111-4222-8333-44445555AAAF"];
const AT = "2026-11-27T09:30:00.000Z";
const toMap = z.array(z.tuple([z.string(), z.int()])).transform((entries) => new Map(entries));

describe("a command receives what its input's schema makes of JSON", () => {
  test.each<[string, z.ZodType, unknown, unknown]>([
    ["z.coerce.date()", z.object({ at: z.coerce.date() }), { at: AT }, { at: new Date(AT) }],
    ["a date of a pipe", z.iso.datetime().pipe(z.coerce.date()), AT, new Date(AT)],
    [
      "a codec",
      z.codec(z.iso.datetime(), z.date(), { decode: (text) => new Date(text), encode: String }),
      AT,
      new Date(AT),
    ],
    [
      "z.coerce.bigint()",
      z.object({ n: z.coerce.bigint() }),
      { n: "9007199254740993" },
      { n: 9007199254740993n },
    ],
    ["a map", toMap, [["a", 1]], new Map([["a", 1]])],
    ["a set", z.array(z.string()).transform((all) => new Set(all)), ["a", "a"], new Set(["a"])],
    [
      "a function's result",
      z.string().transform((text) => ({ text, regex: /x/ })),
      "a",
      { text: "a", regex: /x/ },
    ],
    ["a symbol's key", z.stringbool(), "yes", true],
    ["undefined", z.object({ note: z.string().optional() }), {}, {}],
  ])("%s", async (_, input, sent, expected) => {
    expect(await received(input, sent)).toEqual(expected);
  });

  test.each<[string, z.ZodType, unknown]>([
    ["z.date(), which JSON does not have", z.object({ at: z.date() }), { at: AT }],
    ["a time that is none", z.object({ at: z.coerce.date() }), { at: "tomorrow" }],
    ["a NUL character", z.string(), "a\0b"],
    ["a NUL character before a transform", z.string().transform((text) => text.length), "a\0b"],
    ["half of a surrogate pair in a field that is not declared", z.object({}), { other: "\ud800" }],
    ["a number that JSON cannot hold exactly", z.coerce.string(), 2 ** 53],
    ["a list that is nested too deeply", z.any(), JSON.parse(`${"[".repeat(40)}${"]".repeat(40)}`)],
  ])("and refuses %s", async (_, input, sent) => {
    expect(await received(input, sent)).toMatchObject({ outcome: "invalid" });
  });
});

describe("a UUID reaches a command in lower case, wherever its schema says that it is one:", () => {
  const id = z.uuid();
  test.each<[string, z.ZodType, unknown, unknown]>([
    ["itself", id, UPPER, LOWER],
    ["as a check", z.string().uuid(), UPPER, LOWER],
    [
      "guid, optional, with a default",
      z.object({ a: z.guid().optional(), b: id.default(LOWER) }),
      { a: UPPER, b: UPPER },
      { a: LOWER, b: LOWER },
    ],
    ["in lists and tuples", z.tuple([z.array(id)], id), [[UPPER], UPPER], [[LOWER], LOWER]],
    ["in records", z.record(z.string(), id.nullable()), { a: UPPER, b: null }, { a: LOWER, b: null }],
    [
      "of a variant",
      z.discriminatedUnion("k", [
        z.object({ k: z.literal("a"), id }),
        z.object({ k: z.literal("b"), id: z.string() }),
      ]),
      { k: "a", id: UPPER },
      { k: "a", id: LOWER },
    ],
    ["of a union", z.union([z.int(), id]), UPPER, LOWER],
    ["before a transform", id.transform((text) => ({ text })), UPPER, { text: LOWER }],
    ["after one", z.string().trim().pipe(id), ` ${UPPER} `, LOWER],
    ["after preprocessing", z.preprocess((sent) => (sent as { id: string }).id, id), { id: UPPER }, LOWER],
    [
      "in both sides of an intersection",
      z.intersection(z.object({ a: id }), z.object({ b: id })),
      { a: UPPER, b: UPPER },
      { a: LOWER, b: LOWER },
    ],
    ["behind lazy and readonly", z.lazy(() => z.object({ id }).readonly()), { id: UPPER }, { id: LOWER }],
  ])("%s", async (_, input, sent, expected) => {
    expect(await received(input, sent)).toEqual(expected);
  });

  test("any other text keeps its letters", async () => {
    const input = z.object({ name: z.string(), code: z.uuid().or(z.string()) });
    expect(await received(input, { name: UPPER, code: "ABC" })).toEqual({ name: UPPER, code: "ABC" });
    const other = z.discriminatedUnion("k", [
      z.object({ k: z.literal("a"), id }),
      z.object({ k: z.literal("b"), id: z.string() }),
    ]);
    expect(await received(other, { k: "b", id: UPPER })).toEqual({ k: "b", id: UPPER });
  });
});
