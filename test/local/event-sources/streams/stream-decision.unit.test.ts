import fc from "fast-check";
import { expect, test } from "vitest";
import type { Attempt } from "../../../../dist/local/event-sources/invoke-function.js";
import { idleDelay, LOCAL_PACE, retryDelay } from "../../../../dist/local/event-sources/pace.js";
import { decideStreamBatch, splitByPayload } from "../../../../dist/local/event-sources/streams/shard.js";
import { readableShards } from "../../../../dist/local/event-sources/streams/stream-source.js";

const decide = (records: string, attempt: Attempt) =>
  decideStreamBatch([...records], attempt, (record) => record);
const failed = (...identifiers: string[]): Attempt => ({
  kind: "answered",
  response: { batchItemFailures: identifiers.map((itemIdentifier) => ({ itemIdentifier })) },
});
const ERROR: Attempt = { kind: "functionError", reason: "Error: no" };

test("an answer without failures completes the batch", () => {
  const decision = decide("abc", { kind: "answered", response: null });
  expect(decision).toEqual({ completed: ["a", "b", "c"], retry: [], reason: "" });
});

test("everything from the lowest reported record on is retried, though later ones succeeded", () => {
  expect(decide("abcd", failed("d", "b"))).toEqual({
    completed: ["a"],
    retry: [["b", "c", "d"]],
    reason: "The function reported 2 of 4 records as failed.",
  });
});

test.each([
  ["a function error", ERROR],
  ["a malformed answer", failed("")],
  ["an unknown identifier", failed("z")],
])("%s halves the batch, and completes no record", (_, attempt) => {
  expect(decide("abcde", attempt)).toMatchObject({
    completed: [],
    retry: [
      ["a", "b", "c"],
      ["d", "e"],
    ],
    reason: expect.stringMatching(/./) as string,
  });
});

test("where the first record is the reported one, the batch is halved, so that it ends up alone", () => {
  expect(decide("abcd", failed("a")).retry).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
});

test.each([
  ["a function error", ERROR],
  ["a reported failure", failed("a")],
])("a single record is not split: after %s it is retried", (_, attempt) => {
  expect(decide("a", attempt)).toMatchObject({ completed: [], retry: [["a"]] });
});

const identifiers = ["0", "1", "2", "3", "4", "5", "6", "7", "", "unknown"];
const attemptArbitrary: fc.Arbitrary<Attempt> = fc.oneof(
  fc.constant(ERROR),
  fc.constant<Attempt>({ kind: "answered", response: undefined }),
  fc.subarray(identifiers).map((some) => failed(...some)),
);

test("whatever the answer, every record is completed or retried, once and in order", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), attemptArbitrary, (length, attempt) => {
      const records = identifiers.slice(0, length);
      const { completed, retry } = decideStreamBatch(records, attempt, (record) => record);
      expect([...completed, ...retry.flat()]).toEqual(records);
      expect(retry.every((batch) => batch.length > 0)).toBe(true);
    }),
  );
});

test("whichever records never succeed, exactly those before the first of them are completed", () => {
  const all = [..."01234567"];
  fc.assert(
    fc.property(fc.subarray(all, { minLength: 1 }), fc.boolean(), (poisoned, throws) => {
      let pending: readonly (readonly string[])[] = [all];
      const completed: string[] = [];
      for (let invocations = 0; invocations < 100; invocations += 1) {
        const batch = pending[0] ?? [];
        const bad = batch.filter((record) => poisoned.includes(record));
        const decision = decide(batch.join(""), bad.length > 0 && throws ? ERROR : failed(...bad));
        completed.push(...decision.completed);
        pending = [...decision.retry, ...pending.slice(1)];
      }
      expect(completed).toEqual(all.slice(0, all.indexOf(poisoned[0] ?? "")));
      expect(pending[0]).toEqual([poisoned[0]]);
    }),
  );
});

test("a batch holds at most the payload limit", () => {
  // Two digits and a comma each.
  expect(splitByPayload([10, 11, 12], 6)).toEqual([[10, 11], [12]]);
  expect(splitByPayload([10, 11, 12], 9)).toEqual([[10, 11, 12]]);
  expect(splitByPayload([], 9)).toEqual([]);
});

test("a record above the payload limit is alone, since it would never be delivered otherwise", () => {
  expect(splitByPayload(["a", "too large", "b"], 8)).toEqual([["a"], ["too large"], ["b"]]);
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
