import { expect, test } from "vitest";
import { laneOf } from "../../../dist/local/event-sources/lane-key.js";
import { idleDelay, LOCAL_PACE, retryDelay } from "../../../dist/local/event-sources/pace.js";
import { readableShards } from "../../../dist/local/event-sources/shard-order.js";
import { batchLength, isFullBatch } from "../../../dist/local/event-sources/take-batch.js";

const sized = (...bytes: number[]) => bytes.map((size) => ({ bytes: size }));

test("a batch holds at most its size and at most the payload limit", () => {
  expect(batchLength(sized(1, 1, 1), 2, 100)).toBe(2);
  expect(batchLength(sized(40, 40, 40), 10, 100)).toBe(2);
  expect(batchLength(sized(1, 1), 10, 100)).toBe(2);
  expect(batchLength(sized(), 10, 100)).toBe(0);
});

test("a record above the payload limit goes alone, since it would never go otherwise", () => {
  expect(batchLength(sized(500, 1), 10, 100)).toBe(1);
});

test("a batch is full when waiting longer cannot add to it", () => {
  expect(isFullBatch(sized(1, 1), 2, 100)).toBe(true);
  expect(isFullBatch(sized(60, 60), 10, 100)).toBe(true);
  expect(isFullBatch(sized(1), 2, 100)).toBe(false);
});

test("a key's records always go to the same lane, and keys spread over all of them", () => {
  const lanes = Array.from({ length: 200 }, (_, key) => laneOf(`customer-${key}`, 4));
  expect(new Set(lanes)).toEqual(new Set([0, 1, 2, 3]));
  expect(laneOf("customer-7", 4)).toBe(laneOf("customer-7", 4));
  expect(laneOf("anything", 1)).toBe(0);
});

test("retries wait longer each time, up to a limit", () => {
  const delays = [1, 2, 3, 4, 5, 6, 100].map((failures) => retryDelay(failures, LOCAL_PACE));
  expect(delays).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
});

test("a shard at rest is read less and less often, up to a limit", () => {
  const delays = [1, 2, 3, 4, 1000].map((emptyReads) => idleDelay(emptyReads, LOCAL_PACE));
  expect(delays).toEqual([100, 150, 225, 250, 250]);
  expect(idleDelay(3, { ...LOCAL_PACE, idleMilliseconds: 60_000 })).toBe(60_000);
});

test("a shard waits for its parents, unless they are no longer in the stream", () => {
  const shards = [
    { shardId: "a", parentShardIds: [] },
    { shardId: "b", parentShardIds: ["gone"] },
    { shardId: "c", parentShardIds: ["a", "b"] },
  ];
  const ids = (started: string[], finished: string[]) =>
    readableShards(shards, new Set(started), new Set(finished)).map(({ shardId }) => shardId);
  expect(ids([], [])).toEqual(["a", "b"]);
  expect(ids(["a", "b"], ["a"])).toEqual([]);
  expect(ids(["a", "b"], ["a", "b"])).toEqual(["c"]);
});

test("a parent that was started and has vanished is waited for until it is processed", () => {
  const shards = [{ shardId: "c", parentShardIds: ["a"] }];
  expect(readableShards(shards, new Set(["a"]), new Set())).toEqual([]);
  expect(readableShards(shards, new Set(["a"]), new Set(["a"]))).toHaveLength(1);
});
