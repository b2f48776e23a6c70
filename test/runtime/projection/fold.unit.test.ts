import { describe, expect, test } from "vitest";
import { foldToNewest } from "../../../runtime/projection/handler";

const message = (messageId: string, aggregateId: string, version: number) => ({
  messageId,
  item: { aggregateId, version, occurredAt: "2026-05-04T03:02:01.234Z", eventId: `event-${version}` },
});

const folded = (...messages: ReturnType<typeof message>[]) =>
  foldToNewest(messages).map(({ newest, messageIds }) => ({
    aggregateId: newest.aggregateId,
    version: newest.version,
    messageIds,
  }));

describe("a batch", () => {
  test("is folded to the newest version of each aggregate, which settles all its messages", () => {
    expect(
      folded(message("m1", "a", 1), message("m2", "b", 7), message("m3", "a", 3), message("m4", "a", 2)),
    ).toEqual([
      { aggregateId: "a", version: 3, messageIds: ["m1", "m3", "m4"] },
      { aggregateId: "b", version: 7, messageIds: ["m2"] },
    ]);
  });

  test("compares versions as numbers", () => {
    expect(folded(message("m1", "a", 9), message("m2", "a", 10))).toMatchObject([{ version: 10 }]);
  });

  test("settles duplicates with one event", () => {
    expect(folded(message("m1", "a", 2), message("m2", "a", 2))).toEqual([
      { aggregateId: "a", version: 2, messageIds: ["m1", "m2"] },
    ]);
  });

  test("of nothing is nothing", () => {
    expect(folded()).toEqual([]);
  });
});
