import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entryBytes, MAX_ENTRIES, MAX_REQUEST_BYTES, nextBatch } from "../../../runtime/relay/batches";

/** A publication of one aggregate whose entry has about this many bytes. */
const publication = (orderingKey: string, version = 1, bytes = 100) => ({
  orderingKey,
  version,
  entry: { Source: "bank", DetailType: "AccountOpened", Detail: "x".repeat(bytes) },
});

const keys = (batch: { orderingKey: string }[]) => batch.map(({ orderingKey }) => orderingKey);

describe("the size of an entry", () => {
  test("counts the bytes of source, detail type, detail and resources, and 14 for the time", () => {
    expect(entryBytes({ Source: "abc", DetailType: "de", Detail: "f", Resources: ["gh", "i"] })).toBe(14 + 9);
  });

  test("counts bytes of UTF-8 and not characters", () => {
    expect(entryBytes({ Source: "é", DetailType: "€", Detail: "😀" })).toBe(14 + 2 + 3 + 4);
  });

  test("of an entry without texts is what its time counts", () => {
    expect(entryBytes({})).toBe(14);
  });
});

describe("a batch", () => {
  test("has at most 10 entries", () => {
    const waiting = Array.from({ length: 25 }, (_, index) => publication(`account-${index}`));
    expect(keys(nextBatch(waiting))).toEqual(keys(waiting.slice(0, 10)));
  });

  test("never has two events of one aggregate", () => {
    const waiting = [publication("a", 1), publication("a", 2), publication("b", 1), publication("a", 3)];
    expect(nextBatch(waiting)).toEqual([waiting[0], waiting[2]]);
  });

  test("may be exactly 256 KiB, and not a byte more", () => {
    const half = MAX_REQUEST_BYTES / 2 - entryBytes(publication("", 1, 0).entry);
    const fitting = [publication("a", 1, half), publication("b", 1, half)];
    expect(nextBatch(fitting)).toHaveLength(2);
    expect(nextBatch([fitting[0]!, publication("b", 1, half + 1)])).toHaveLength(1);
  });

  test("is measured in bytes of UTF-8", () => {
    const text = "€".repeat(50_000);
    const waiting = ["a", "b"].map((orderingKey) => ({ orderingKey, entry: { Detail: text } }));
    expect(keys(nextBatch(waiting))).toEqual(["a"]);
  });

  test("fills up with smaller events of other aggregates, but not with later ones of the aggregate that did not fit", () => {
    const waiting = [
      publication("a", 1, 200_000),
      publication("b", 1, 200_000),
      publication("b", 2, 10),
      publication("c", 1, 10),
    ];
    expect(nextBatch(waiting)).toEqual([waiting[0], waiting[3]]);
  });

  test("is never empty while something waits, even if that alone is over the limit", () => {
    const waiting = [publication("a", 1, MAX_REQUEST_BYTES), publication("b")];
    expect(keys(nextBatch(waiting))).toEqual(["a"]);
    expect(nextBatch([])).toEqual([]);
  });

  test("keeps limits and order whatever waits, and taking batches to the end takes everything once", () => {
    const arbitrary = fc.array(
      fc.record({ key: fc.constantFrom("a", "b", "c", "d"), bytes: fc.integer({ min: 1, max: 200_000 }) }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(arbitrary, (drawn) => {
        let waiting = drawn.map(({ key, bytes }, index) => publication(key, index, bytes));
        const last = new Map<string, number>();
        let taken = 0;
        while (waiting.length > 0) {
          const batch = nextBatch(waiting);
          const bytes = batch.reduce((sum, { entry }) => sum + entryBytes(entry), 0);
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(MAX_ENTRIES);
          expect(bytes).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
          expect(new Set(keys(batch)).size).toBe(batch.length);
          for (const { orderingKey, version } of batch) {
            expect(version).toBeGreaterThan(last.get(orderingKey) ?? -1);
            last.set(orderingKey, version);
          }
          taken += batch.length;
          waiting = waiting.filter((one) => !batch.includes(one));
        }
        expect(taken).toBe(drawn.length);
      }),
      { numRuns: 50 },
    );
  });
});
