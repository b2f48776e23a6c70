import { expect, test, vi } from "vitest";
import { fakeStream, nameOf } from "./fake-stream.js";
import { names, once } from "./names.js";
import { runStream, type FakeFunction } from "./run-stream.js";

const succeed: FakeFunction = () => [];

test("every record is delivered once, in the shard's order, in batches up to the batch size", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", ...names("a", 25));
  const run = runStream(stream, succeed, { batchSize: 10 });
  await run.drained();
  expect(run.batches.flat()).toEqual(names("a", 25));
  expect(Math.max(...run.batches.map(({ length }) => length))).toBe(10);
  expect(run.source.status().shards).toMatchObject([{ checkpoint: "s1-0025", outstanding: 0 }]);
});

test("LATEST passes over what is there when the source is ready, and nothing that comes after", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  const run = runStream(stream, succeed, { startingPosition: "LATEST" });
  await run.source.ready;
  stream.put("s1", "a2");
  await run.drained();
  expect(run.batches.flat()).toEqual(["a2"]);
});

test("a child shard is read after its parents are processed to their end, from its beginning", async () => {
  const stream = fakeStream("s1", "s2");
  stream.put("s1", "a1", "a2");
  stream.put("s2", "b1");
  stream.closeShard("s1");
  stream.addShard("s3", ["s1", "s2"]);
  stream.put("s3", "a3");
  let failures = 3;
  const run = runStream(stream, (batch) => (batch.includes("a1") && failures-- > 0 ? ["a1"] : []));
  await vi.waitUntil(() => run.succeeded().includes("a2") && run.succeeded().includes("b1"));
  expect(run.batches.flat()).not.toContain("a3");
  stream.closeShard("s2");
  await run.drained();
  expect(run.succeeded().at(-1)).toBe("a3");
});

test("a shard that is added later is read from its beginning, also with LATEST", async () => {
  const stream = fakeStream("s1");
  const run = runStream(stream, succeed, { startingPosition: "LATEST" });
  await run.source.ready;
  stream.addShard("s2");
  stream.put("s2", "b1");
  await vi.waitUntil(() => run.succeeded().includes("b1"));
});

test("after a partial failure everything from the lowest failed record on comes again", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", ...names("a", 5));
  const failing = once(["a4", "a3"]);
  const run = runStream(stream, () => failing() ?? []);
  await run.drained();
  expect(run.batches).toEqual([names("a", 5), ["a3", "a4", "a5"]]);
  expect(run.succeeded()).toEqual(names("a", 5));
  expect(run.observations.find(({ kind }) => kind === "checkpointed")).toMatchObject({
    sequenceNumber: "s1-0002",
  });
});

test("a function error is retried as a whole and counted", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1", "a2");
  let failures = 2;
  const run = runStream(stream, () => {
    if (failures-- > 0) throw new Error("not now");
    return [];
  });
  await run.drained();
  expect(run.batches).toEqual([
    ["a1", "a2"],
    ["a1", "a2"],
    ["a1", "a2"],
  ]);
  expect(run.observations.filter(({ kind }) => kind === "invoked")).toMatchObject([
    { attempt: 1 },
    { attempt: 2 },
    { attempt: 3 },
  ]);
});

test("a batch that fails too often is given up, and what follows goes on", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1", "a2");
  const run = runStream(stream, (batch) => batch.slice(0, batch.includes("a1") ? 1 : 0), {
    maximumRetryAttempts: 1,
  });
  await vi.waitUntil(() => run.discards.length > 0);
  stream.put("s1", "a3");
  await run.drained();
  expect(run.discards).toMatchObject([
    { condition: "RetryAttemptsExhausted", shardId: "s1", invocations: 2 },
  ]);
  expect(run.discarded()).toEqual(["a1", "a2"]);
  expect(run.succeeded()).toEqual(["a3"]);
  expect(run.source.status().shards).toMatchObject([{ checkpoint: "s1-0003" }]);
});

test("with bisecting only the poisoned record is given up", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", ...names("a", 9));
  const inputs = { bisectBatchOnFunctionError: true, maximumRetryAttempts: 1 };
  const run = runStream(
    stream,
    (batch) => {
      if (batch.includes("a6")) throw new Error("poison");
      return [];
    },
    inputs,
  );
  await run.drained();
  expect(run.discarded()).toEqual(["a6"]);
  expect(run.succeeded()).toEqual(names("a", 9).filter((name) => name !== "a6"));
});

test("records that become too old while they fail are given up, younger ones are not", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  let isBroken = true;
  const run = runStream(stream, (batch) => (isBroken ? batch : []), { maximumRecordAgeInSeconds: 1 });
  await vi.waitUntil(() => run.discards.length > 0, { timeout: 10_000 });
  isBroken = false;
  stream.put("s1", "a2");
  await run.drained();
  expect(run.discards).toMatchObject([{ condition: "RecordAgeExceeded" }]);
  expect(run.discards[0]?.invocations).toBeGreaterThan(1);
  expect(run.succeeded()).toEqual(["a2"]);
});

test("a throttled or lost invocation is repeated and not counted", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  let throttles = 3;
  const run = runStream(stream, () => (throttles-- > 0 ? { kind: "throttled", reason: "busy" } : []), {
    maximumRetryAttempts: 0,
  });
  await run.drained();
  expect(run.batches).toHaveLength(4);
  expect(run.succeeded()).toEqual(["a1"]);
  expect(run.recorder.counts()).toMatchObject({ undelivered: 3, failed: 0, discarded: 0 });
});

test("filtered records are not delivered and count as processed", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1", "b2", "a3", "b4");
  const filters = [{ pattern: '{"data":["a1","a3"]}' }];
  const run = runStream(stream, succeed, { filterCriteria: { filters } });
  await run.drained();
  expect(run.batches).toEqual([["a1", "a3"]]);
  expect(run.recorder.counts()).toMatchObject({ received: 4, filtered: 2, succeeded: 2 });
  expect(run.source.status().shards).toMatchObject([{ checkpoint: "s1-0004" }]);
});

test("a batching window gathers records until the batch is full", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  const run = runStream(stream, succeed, { batchSize: 3, maximumBatchingWindowInSeconds: 60 });
  await vi.waitUntil(() => run.source.status().inFlight === 1);
  stream.put("s1", "a2", "a3");
  await vi.waitUntil(() => run.batches.length === 1);
  expect(run.batches).toEqual([names("a", 3)]);
});

test("a batching window ends with fewer records than the batch could hold", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  const run = runStream(stream, succeed, { batchSize: 3, maximumBatchingWindowInSeconds: 1 });
  await run.drained();
  expect(run.batches).toEqual([["a1"]]);
});

test("with several lanes a key that fails holds up its own records only, and keeps its order", async () => {
  const stream = fakeStream("s1");
  const all = [1, 2, 3, 4, 5].flatMap((number) => ["a", "b", "c", "d"].map((key) => `${key}${number}`));
  stream.put("s1", ...all);
  let isBroken = true;
  const run = runStream(stream, (batch) => (isBroken ? batch.filter((name) => name.startsWith("a")) : []), {
    batchSize: 10,
    parallelizationFactor: 10,
  });
  await vi.waitUntil(() => run.succeeded().filter((name) => !name.startsWith("a")).length === 15);
  expect(run.succeeded().filter((name) => name.startsWith("a"))).toEqual([]);
  expect(run.source.status().shards?.[0]).not.toHaveProperty("checkpoint");
  isBroken = false;
  await run.drained();
  for (const key of ["a", "b", "c", "d"]) {
    expect(run.succeeded().filter((name) => name.startsWith(key))).toEqual(names(key, 5));
  }
  expect(run.source.status().shards).toMatchObject([{ checkpoint: "s1-0020" }]);
});

test("a source is not idle while a record is unread, waiting, in flight or failing", async () => {
  const stream = fakeStream("s1");
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const run = runStream(
    stream,
    async () => {
      await gate;
      return [];
    },
    {},
    { pace: { idleMilliseconds: 60_000 } },
  );
  await run.source.ready;
  expect(await run.source.isIdle()).toBe(true);
  stream.put("s1", "a1");
  // The next read is a minute away: being asked must make it read at once.
  expect(await run.source.isIdle()).toBe(false);
  release();
  await run.drained();
  expect(run.succeeded()).toEqual(["a1"]);
});

test("a stop lets the running invocation finish and starts no other", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", ...names("a", 4));
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const run = runStream(
    stream,
    async () => {
      await gate;
      return [];
    },
    { batchSize: 2 },
  );
  await vi.waitUntil(() => run.batches.length === 1);
  const stopped = run.stop();
  release();
  await stopped;
  expect(run.batches).toEqual([["a1", "a2"]]);
  expect(run.succeeded()).toEqual(["a1", "a2"]);
});

test("what is observed tells a record's whole way", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  const failing = once(["a1"]);
  const run = runStream(stream, () => failing() ?? []);
  await run.drained();
  const seen = run.observations.map((observation) => ({
    kind: observation.kind,
    names: "records" in observation ? observation.records.map((record) => nameOf(record as object)) : [],
  }));
  expect(seen).toEqual([
    { kind: "received", names: ["a1"] },
    { kind: "invoked", names: ["a1"] },
    { kind: "failed", names: ["a1"] },
    { kind: "invoked", names: ["a1"] },
    { kind: "succeeded", names: ["a1"] },
    { kind: "checkpointed", names: [] },
  ]);
  expect(run.observations[0]).toMatchObject({ functionName: "fake", service: "kinesis", shardId: "s1" });
});
