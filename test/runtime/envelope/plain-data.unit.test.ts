import { describe, expect, test } from "vitest";
import { dataFault, isText, MAX_LEVELS } from "../../../runtime/envelope/plain-data";

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
    ["a NUL character in a name", { "a\0": 1 }, ["a\0"], "is a key with a NUL character or half a pair"],
    ["a number that is none", [NaN], [0], "is the number NaN, which not every store holds"],
    [
      "a number that JSON turned to infinity",
      parsed("[1e400]"),
      [0],
      "is the number Infinity, which not every store holds",
    ],
    [
      "a number beyond the exact ones",
      [2 ** 53],
      [0],
      "is the number 9007199254740992, which not every store holds",
    ],
    ["a number smaller than DynamoDB's", [1e-131], [0], "is the number 1e-131, which not every store holds"],
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
