import { describe, expect, test } from "vitest";
import { isId } from "../../../runtime/envelope/identifier";

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
