import { describe, expect, test } from "vitest";
import { entryBytes, MAX_REQUEST_BYTES, nextBatch } from "../../../runtime/relay/publish";

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
});
