import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entryBytes, MAX_ENTRIES, MAX_REQUEST_BYTES, nextBatch } from "../../runtime/relay/publish";

/** Texts of one to four bytes a character. */
const detail = fc
  .record({ unit: fc.constantFrom("x", "é", "€", "😀"), length: fc.integer({ min: 1, max: 70_000 }) })
  .map(({ unit, length }) => unit.repeat(length));

const publications = fc
  .array(fc.record({ orderingKey: fc.constantFrom("a", "b", "c", "d", "e"), detail }), { maxLength: 40 })
  .map((drawn) =>
    drawn.map(({ orderingKey, detail }, number) => ({
      number,
      orderingKey,
      entry: { Source: "bank", DetailType: "Opened", Detail: detail },
    })),
  );

/** As PutEvents counts them, written down once more. */
const bytesOf = (batch: { entry: { Source: string; DetailType: string; Detail: string } }[]) =>
  batch.reduce(
    (sum, { entry }) => sum + 14 + Buffer.from(entry.Source + entry.DetailType + entry.Detail).length,
    0,
  );

describe("taking batches until nothing waits", () => {
  test("keeps the limits and each aggregate's order, and takes everything once", () => {
    fc.assert(
      fc.property(publications, (all) => {
        let waiting = all;
        const taken: typeof all = [];
        while (waiting.length > 0) {
          const batch = nextBatch(waiting);
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(MAX_ENTRIES);
          // An entry that alone is over the limit is for the bus to refuse.
          if (batch.length > 1) expect(bytesOf(batch)).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
          expect(batch.reduce((sum, { entry }) => sum + entryBytes(entry), 0)).toBe(bytesOf(batch));
          expect(new Set(batch.map(({ orderingKey }) => orderingKey)).size).toBe(batch.length);
          taken.push(...batch);
          waiting = waiting.filter((one) => !batch.includes(one));
        }
        for (const key of ["a", "b", "c", "d", "e"]) {
          const ofKey = (some: typeof all) => some.filter(({ orderingKey }) => orderingKey === key);
          expect(ofKey(taken)).toEqual(ofKey(all));
        }
        expect(taken).toHaveLength(all.length);
      }),
      { numRuns: 100 },
    );
  });
});
