import fc from "fast-check";
import { expect, test } from "vitest";
import { eventPatterns } from "../../../dist/components/subscription/event-patterns.js";

const OWNER = 'domain "orders", subscription "customers"';
const patternsOf = (types: string[]) => eventPatterns(OWNER, "customers", types);
const typesIn = (pattern: string) => (JSON.parse(pattern) as { "detail-type": string[] })["detail-type"];
const types = (count: number, length = 24) =>
  Array.from(
    { length: count },
    (_, index) => `Customer${"X".repeat(length - 12)}${String(index).padStart(4, "0")}`,
  );
/** Type -> number of the pattern that has it. */
const placesOf = (all: string[]) =>
  new Map(
    patternsOf(all).flatMap(({ number, pattern }) => typesIn(pattern).map((type) => [type, number] as const)),
  );

test("Event types that fit into one pattern are in one, sorted, without replayed events", () => {
  expect(patternsOf(["CustomerRelocated", "CustomerLeft"])).toEqual([
    {
      number: 1,
      pattern:
        '{"source":["customers"],"detail-type":["CustomerLeft","CustomerRelocated"],"replay-name":[{"exists":false}]}',
    },
  ]);
});

test.each([
  [60, 33],
  [100, 24],
  [200, 64],
  [250, 128],
  [1000, 20],
])("%i event types of %i characters are divided among patterns that EventBridge accepts", (count, length) => {
  const all = types(count, length);
  const patterns = patternsOf(all);
  expect(patterns.length).toBeGreaterThan(1);
  for (const { number, pattern } of patterns) {
    // "Event pattern size: 2048". Source: Amazon EventBridge quotas.
    expect(pattern.length).toBeLessThanOrEqual(2048);
    expect(number).toBeLessThanOrEqual(32);
  }
  expect(patterns.flatMap(({ pattern }) => typesIn(pattern)).sort()).toEqual([...all].sort());
  expect(new Set(patterns.map(({ number }) => number)).size).toBe(patterns.length);
});

test("No pattern matches nothing, whatever the types are called", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.stringMatching(/^[A-Z][A-Za-z0-9]{60,127}$/), { minLength: 1, maxLength: 60 }),
      (all) => {
        for (const { pattern } of patternsOf(all)) expect(typesIn(pattern)).not.toEqual([]);
      },
    ),
    { numRuns: 15 },
  );
});

test("A new event type leaves all others where they are, or moves them to a later pattern", () => {
  for (let count = 1; count < 400; count += 1) {
    const [before, after] = [placesOf(types(count)), placesOf(types(count + 1))];
    const [last] = [Math.max(...before.values())];
    for (const [type, place] of before) {
      const now = after.get(type) ?? 0;
      if (now !== place) expect(now).toBeGreaterThan(place);
      if (now !== place) expect(now).toBeGreaterThan(last / 2);
    }
  }
});

test("Event types that need more rules than a queue's policy can name are an error with the remedy", () => {
  expect(() => patternsOf(types(600, 128))).toThrow(
    'The 600 event types of domain "orders", subscription "customers" do not fit into 32 rules with patterns of 2048 characters. ' +
      "Give the types shorter names, or split the aggregate.",
  );
});
