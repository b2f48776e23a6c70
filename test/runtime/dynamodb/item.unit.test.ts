import { describe, expect, test } from "vitest";
import { checkedItemBytes, isIndexKey, MAX_ITEM_BYTES } from "../../../runtime/dynamodb/item";

const bytes = (item: Record<string, unknown>) => checkedItemBytes("The item", item);

describe("the size of an item", () => {
  // Amazon DynamoDB developer guide, "DynamoDB item sizes and formats".
  test.each([
    ["a text is its UTF-8", { ab: "Zoë€😀" }, 2 + 2 + 2 + 3 + 4],
    ["a number is a byte for two digits and one more", { a: 12345 }, 1 + 3 + 1],
    ["a negative number is one more", { a: -12345 }, 1 + 3 + 1 + 1],
    ["the point and the exponent are no digits", { a: 1.5e-7, b: 0.25 }, 1 + 2 + 1 + 3],
    ["null and a boolean are one", { a: null, b: true }, 2 + 2],
    ["a list is three, and one more for each thing in it", { a: ["xy", null] }, 1 + 3 + (1 + 2) + (1 + 1)],
    [
      "a map is three, and its names and one more for each thing in it",
      { a: { bc: "d" } },
      1 + 3 + (2 + 1 + 1),
    ],
    ["what is undefined is not there", { a: undefined, b: "" }, 1],
  ])("%s", (_, item, expected) => {
    expect(bytes(item)).toBe(expected);
  });

  test("may be exactly 400 KB, and not a byte more, which is told with both", () => {
    const room = MAX_ITEM_BYTES - 1;
    expect(bytes({ a: "x".repeat(room) })).toBe(409_600);
    expect(() => bytes({ a: "x".repeat(room - 1) + "é" })).toThrow(
      expect.objectContaining({
        code: "ITEM_TOO_LARGE",
        message: expect.stringContaining(
          "The item has 409601 bytes; an item of DynamoDB may have 409600. Nothing was written.",
        ) as string,
      }),
    );
  });
});

describe("refused is an item", () => {
  const levels = (count: number) => JSON.parse("[".repeat(count) + "]".repeat(count)) as unknown;

  test("that DynamoDB would refuse, told with the place", () => {
    expect(() => bytes({ a: { b: [Infinity] } })).toThrow(
      expect.objectContaining({
        code: "INVALID_ITEM",
        message:
          'The item cannot be kept in DynamoDB: a value in "a" is a number that not every store holds. Nothing was written.',
      }),
    );
  });

  test("whose attributes are nested more than 32 levels", () => {
    expect(() => bytes({ a: levels(32) })).not.toThrow();
    expect(() => bytes({ a: levels(33) })).toThrow(expect.objectContaining({ code: "INVALID_ITEM" }));
  });
});

test("An index's key is a text of 1 to 2048 bytes", () => {
  expect(["a", "x".repeat(2_048)].map(isIndexKey)).toEqual([true, true]);
  expect(["", "x".repeat(2_049), "é".repeat(1_025), 5, null].map(isIndexKey)).toEqual(Array(5).fill(false));
});
