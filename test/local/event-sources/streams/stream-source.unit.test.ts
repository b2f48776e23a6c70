import { expect, test, vi } from "vitest";
import { fakeStream, nameOf } from "./fake-stream.js";
import { names, once, runStream, type FakeFunction } from "./run-stream.js";

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

test("a shard that the stream no longer has counts as processed, and its children are read", async () => {
  const stream = fakeStream("s1", "s2");
  stream.put("s1", "a1");
  const run = runStream(stream, succeed);
  await run.drained();
  stream.removeShard("s1");
  stream.addShard("s3", ["s1"]);
  stream.put("s3", "a2");
  await vi.waitUntil(() => run.succeeded().includes("a2"));
  await run.drained();
  expect(run.observations.filter(({ kind }) => kind === "problem")).toEqual([]);
});

test("a stream that is missing is a problem, and its shards do not count as processed", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  const run = runStream(stream, succeed);
  await run.drained();
  stream.refuse("ResourceNotFoundException");
  await vi.waitUntil(() => run.recorder.problems().length > 0);
  stream.refuse(undefined);
  stream.put("s1", "a2");
  await run.drained();
  expect(run.succeeded()).toEqual(["a1", "a2"]);
});

test("a shard that is added later is read from its beginning", async () => {
  const stream = fakeStream("s1");
  const run = runStream(stream, succeed);
  await run.source.ready;
  stream.addShard("s2");
  stream.put("s2", "b1");
  await vi.waitUntil(() => run.succeeded().includes("b1"));
});

test("after a partial failure everything from the lowest failed record on is delivered again", async () => {
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

test("a function error is retried without end, and the attempts are counted", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  let failures = 20;
  const run = runStream(stream, () => {
    if (failures-- > 0) throw new Error("not now");
    return [];
  });
  await run.drained();
  expect(run.batches).toEqual(Array.from({ length: 21 }, () => ["a1"]));
  const attempts = run.observations.flatMap((seen) => (seen.kind === "invoked" ? [seen.attempt] : []));
  expect(attempts).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
});

test("by bisecting, a poisoned record ends up alone and holds up only what comes after it", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", ...names("a", 9));
  let isPoisoned = true;
  const run = runStream(stream, (batch) => {
    if (isPoisoned && batch.includes("a6")) throw new Error("poison");
    return [];
  });
  await vi.waitUntil(() => run.batches.filter((batch) => batch.join() === "a6").length > 2);
  expect(run.succeeded()).toEqual(names("a", 5));
  expect(run.source.status().shards).toMatchObject([{ checkpoint: "s1-0005", outstanding: 4 }]);
  expect(await run.source.isIdle()).toBe(false);
  isPoisoned = false;
  await run.drained();
  expect(run.succeeded()).toEqual(names("a", 9));
});

test("a throttled or lost invocation is repeated and not counted", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  let throttles = 3;
  const run = runStream(stream, () => (throttles-- > 0 ? { kind: "throttled", reason: "busy" } : []));
  await run.drained();
  expect(run.batches).toHaveLength(4);
  expect(run.succeeded()).toEqual(["a1"]);
  expect(run.recorder.counts()).toMatchObject({ undelivered: 3, failed: 0 });
  expect(run.observations.filter(({ kind }) => kind === "invoked")).toMatchObject(
    Array.from({ length: 4 }, () => ({ attempt: 1 })),
  );
});

test("filtered records are not delivered and count as processed", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "x1", "a2", "x3", "a4", "x5");
  const run = runStream(stream, succeed, {
    eventSourceArn: "arn:aws:dynamodb:us-east-1:000000000000:table/fake/stream/1",
    filterCriteria: { filters: [{ pattern: '{"eventName":["INSERT"]}' }] },
  });
  await run.drained();
  expect(run.batches).toEqual([["a2", "a4"]]);
  expect(run.recorder.counts()).toMatchObject({ received: 5, filtered: 3, succeeded: 2 });
  expect(run.checkpoints()).toEqual(["s1-0001", "s1-0005"]);
});

test("a checkpoint does not pass a filtered record before the failed one that precedes it", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1", "x2", "a3", "x4");
  const failing = once(["a3"]);
  const run = runStream(stream, () => failing() ?? [], {
    eventSourceArn: "arn:aws:dynamodb:us-east-1:000000000000:table/fake/stream/1",
    filterCriteria: { filters: [{ pattern: '{"eventName":["INSERT"]}' }] },
  });
  await run.drained();
  expect(run.batches).toEqual([["a1", "a3"], ["a3"]]);
  expect(run.checkpoints()).toEqual(["s1-0002", "s1-0004"]);
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

test("a source is not idle by a read that began before a record was added", async () => {
  const stream = fakeStream("s1");
  const { read } = stream;
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  let reads = 0;
  stream.read = async (...place) => {
    const page = await read(...place);
    if ((reads += 1) === 1) await gate;
    return page;
  };
  const run = runStream(stream, succeed);
  await vi.waitUntil(() => reads === 1);
  stream.put("s1", "a1");
  const isIdle = run.source.isIdle();
  release();
  expect(await isIdle).toBe(false);
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
