import { expect, test } from "vitest";
import { fingerprintOf } from "../../../runtime/command/handler";

const fingerprint = fingerprintOf("open", { owner: "Ada", tags: ["a", "b"], at: { city: "Lyon", zip: 1 } });

test("A request has the fingerprint of the same request with the fields in another order, at any depth", () => {
  expect(fingerprintOf("open", { at: { zip: 1, city: "Lyon" }, tags: ["a", "b"], owner: "Ada" })).toBe(
    fingerprint,
  );
});

test.each([
  ["command", "close", { owner: "Ada", tags: ["a", "b"], at: { city: "Lyon", zip: 1 } }],
  ["value", "open", { owner: "Eve", tags: ["a", "b"], at: { city: "Lyon", zip: 1 } }],
  ["value further down", "open", { owner: "Ada", tags: ["a", "b"], at: { city: "Lyon", zip: 2 } }],
  ["order of a list", "open", { owner: "Ada", tags: ["b", "a"], at: { city: "Lyon", zip: 1 } }],
  ["type", "open", { owner: "Ada", tags: ["a", "b"], at: { city: "Lyon", zip: "1" } }],
  ["field more", "open", { owner: "Ada", tags: ["a", "b"], at: { city: "Lyon", zip: 1 }, note: null }],
])("A request with another %s has another fingerprint", (_, command, input) => {
  expect(fingerprintOf(command, input)).not.toBe(fingerprint);
});

test.each([undefined, null, "text", 5, []])("Any input has one, also %j", (input) => {
  expect(fingerprintOf("open", input)).toMatch(/^[\w-]{43}$/);
});

test("A field that is named like a part of JavaScript counts too", () => {
  const [one, other] = ['{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}'].map(
    (text) => JSON.parse(text) as unknown,
  );
  expect(fingerprintOf("open", one)).not.toBe(fingerprintOf("open", other));
});

test("An input that is nested too deeply is refused by a code", () => {
  const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`) as unknown;
  expect(() => fingerprintOf("open", deep)).toThrowError(
    expect.objectContaining({ code: "REQUEST_MALFORMED" }),
  );
});
