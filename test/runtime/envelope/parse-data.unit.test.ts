import { describe, expect, test } from "vitest";
import { z } from "zod";
import { issuesText, parseData } from "../../../runtime/envelope/parse-data";

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
