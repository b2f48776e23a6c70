import { describe, expect, test } from "vitest";
import { z } from "zod";
import { dataFault, isId, isText, MAX_LEVELS, parseData } from "../../../runtime/envelope/portable-data";
import { issuesText } from "../../../runtime/envelope/data-issues";

describe("an id", () => {
  test.each(["a", "018f3c1e-0000-7000-8000-000000000001", "é".repeat(256), "😀".repeat(256), "a b/c#d"])(
    "may be a text of up to 256 characters: %j",
    (id) => {
      expect(isId(id)).toBe(true);
    },
  );

  test.each([
    undefined,
    null,
    5,
    {},
    "",
    "x".repeat(257),
    "😀".repeat(257),
    "x".repeat(100_000),
    "a\0",
    "\ud800",
  ])("is not %j", (id) => {
    expect(isId(id)).toBe(false);
  });
});

const parsed = (text: string) => JSON.parse(text) as unknown;
const nested = (levels: number) => parsed("[".repeat(levels) + "]".repeat(levels));

describe("data that goes everywhere unaltered", () => {
  test.each([
    ["nothing much", {}],
    ["all that JSON has", { a: "Zoë 😀 \u2028", b: [1, -1.5, 1e-7, 0], c: true, d: null, e: { f: [] } }],
    ["a field that is undefined, which JSON leaves out", { a: undefined }],
    ["the largest exact numbers", [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1e-130]],
    ["an object without a prototype", Object.assign(Object.create(null) as object, { a: 1 })],
    ["as many levels as are allowed", nested(MAX_LEVELS)],
    ["names that JavaScript has too, and data may have", parsed('{"toString":1,"length":2,"then":3}')],
  ])("is %s", (_, data) => {
    expect(dataFault(data)).toBeUndefined();
  });
});

describe("a fault", () => {
  const text = "holds a NUL character or half of a surrogate pair";
  test.each<[string, unknown, (string | number)[], string]>([
    ["a NUL character", { a: ["x\0"] }, ["a", 0], text],
    ["half of a surrogate pair", { a: { b: "\ud83d" } }, ["a", "b"], text],
    ["halves in the wrong order", "\ude00\ud83d", [], text],
    [
      "a NUL character in a name",
      { "a\0": 1 },
      ["a\0"],
      "is a key with a NUL character or half of a surrogate pair",
    ],
    ["a number that is none", [NaN], [0], "is a number that not every store holds"],
    [
      "a number that JSON turned to infinity",
      parsed("[1e400]"),
      [0],
      "is a number that not every store holds",
    ],
    ["a number beyond the exact ones", [2 ** 53], [0], "is a number that not every store holds"],
    ["a number smaller than DynamoDB's", [1e-131], [0], "is a number that not every store holds"],
    ["one level too many", nested(MAX_LEVELS + 1), Array<number>(MAX_LEVELS).fill(0), "is nested too deeply"],
    [
      "a name that is a prototype",
      parsed('{"a":{"__proto__":{}}}'),
      ["a"],
      'has the key "__proto__", which is refused',
    ],
    [
      "a name that the SDK takes for a class",
      { constructor: { name: "Set" } },
      [],
      'has the key "constructor", which is refused',
    ],
    ["a bigint", { a: 1n }, ["a"], "is a bigint, which JSON does not have"],
    ["a function", { a: () => 1 }, ["a"], "is a function, which JSON does not have"],
    ["a Date", { a: new Date() }, ["a"], "is an object that JSON does not have"],
    ["a Map", new Map(), [], "is an object that JSON does not have"],
  ])("is %s, told with its place", (_, data, path, message) => {
    expect(dataFault(data)).toEqual({ path, message });
  });

  test("is found in data of 100,000 levels without following them", () => {
    expect(dataFault(nested(100_000))).toMatchObject({ message: "is nested too deeply" });
  });
});

test("A text is one that UTF-8 has, without NUL", () => {
  expect(["", "Zoë", "😀", "\ud83d\ude00"].map(isText)).toEqual([true, true, true, true]);
  expect(["\0", "\ud83d", "a\ude00"].map(isText)).toEqual([false, false, false]);
});

describe("data", () => {
  test("comes out as its schema yields it", () => {
    const schema = z.object({ name: z.string().trim() });
    expect(parseData(schema, { name: " Ada ", more: 1 })).toEqual({ data: { name: "Ada" } });
  });

  test("that does not fit is told with every place, and without the values", () => {
    const result = parseData(z.object({ a: z.int(), b: z.object({ c: z.string() }) }), {
      a: "secret",
      b: {},
    });
    expect(result).toMatchObject({ issues: [{ path: "a" }, { path: "b.c" }] });
    expect(JSON.stringify(result)).not.toContain("secret");
  });

  test("that fits but could not be stored is refused too", () => {
    expect(parseData(z.object({ a: z.string() }), { a: "x\0" })).toEqual({
      issues: [{ path: "a", message: "holds a NUL character or half of a surrogate pair" }],
    });
    expect(parseData(z.object({ a: z.coerce.bigint() }), { a: 5 })).toMatchObject({
      issues: [{ path: "a" }],
    });
  });

  test("that would overflow the stack of a schema that refers to itself is refused", () => {
    const nested: unknown = JSON.parse("[".repeat(10_000) + "]".repeat(10_000));
    const message = "cannot be checked: it is nested too deeply, or a check failed";
    expect(parseData(z.json(), nested)).toEqual({ issues: [{ path: "", message }] });
  });

  test("that a check of the contract's own falls over is refused", () => {
    const schema = z.object({ a: z.any().refine((a: { b: { c: number } }) => a.b.c > 0) });
    expect(parseData(schema, { a: {} })).toMatchObject({ issues: [{ path: "" }] });
  });
});

describe("what is told", () => {
  test("is at most 20 issues, however many there are", () => {
    const result = parseData(z.array(z.int()), Array(100_000).fill("x"));
    expect("issues" in result && result.issues).toHaveLength(20);
  });

  test("is cut off where the input's own names make it long", () => {
    const result = parseData(z.strictObject({}), { ["k".repeat(100_000)]: 1 });
    expect("issues" in result && issuesText(result.issues).length).toBeLessThan(300);
  });

  test("is one line, with the root by a name", () => {
    expect(
      issuesText([
        { path: "", message: "wrong" },
        { path: "a.0", message: "bad" },
      ]),
    ).toBe("(root): wrong; a.0: bad");
  });
});
