import fc from "fast-check";
import { expect, test } from "vitest";
import { dmsIdentifier } from "../../../dist/components/monolith/dms-identifier.js";

/**
 * "Must contain 1-63 alphanumeric characters or hyphens. First character must be a letter. Can't end with a hyphen or
 * contain two consecutive hyphens." Source: AWS DMS API reference, CreateReplicationInstance.
 */
const ACCEPTED = /^[a-z](?:[a-z0-9]|-(?!-|$)){0,62}$/;

test.each(["domain-consistency-dev-monolith", "a", `a${"b".repeat(62)}`])("%s is kept as it is", (name) => {
  expect(dmsIdentifier(name)).toBe(name);
});

test.each([
  ["a stack of 40 characters", `domain-consistency-${"s".repeat(40)}-monolith`],
  ["a project and a stack of 100 characters", `${"p".repeat(100)}-${"S".repeat(100)}-monolith`],
  ["one character too many", "b".repeat(64)],
  ["a hyphen where it is cut", `${"c".repeat(53)}-${"d".repeat(20)}`],
  ["dots and underscores", "shop-eu_west.1-monolith"],
  ["digits first", "3d-shop-dev-monolith"],
  ["nothing that DMS accepts", "..."],
  ["two hyphens in a row", "shop--dev"],
])("%s: the identifier is one that DMS accepts, and ends with a hash", (_, name) => {
  expect(dmsIdentifier(name)).toMatch(ACCEPTED);
  expect(dmsIdentifier(name)).toMatch(/-[0-9a-f]{8}$/);
});

test("Any name has an identifier that DMS accepts, and two names never share one", () => {
  const part = fc.stringMatching(/^[A-Za-z0-9_.-]{1,100}$/);
  fc.assert(
    fc.property(part, part, (one, other) => {
      const [first, second] = [dmsIdentifier(`${one}-monolith`), dmsIdentifier(`${other}-monolith`)];
      expect(first).toMatch(ACCEPTED);
      expect(first === second).toBe(one === other);
    }),
  );
});

test.each([
  ["dev_1", "dev-1"],
  ["Dev", "dev"],
  [`${"s".repeat(80)}a`, `${"s".repeat(80)}b`],
])("The stacks %s and %s have different identifiers", (one, other) => {
  expect(dmsIdentifier(`shop-${one}-monolith`)).not.toBe(dmsIdentifier(`shop-${other}-monolith`));
});
