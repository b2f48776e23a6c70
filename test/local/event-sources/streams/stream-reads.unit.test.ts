import { expect, test, vi } from "vitest";
import { fakeStream } from "./fake-stream.js";
import { runStream, type FakeFunction } from "./run-stream.js";

const succeed: FakeFunction = () => [];

test("a refused read is reported as a problem once, and reading goes on where it was when it is allowed again", async () => {
  const stream = fakeStream("s1");
  const run = runStream(stream, succeed);
  await run.source.ready;
  stream.refuse("AccessDeniedException");
  await vi.waitUntil(() => run.recorder.problems().length > 0);
  expect(await run.source.isIdle()).toBe(false);
  stream.refuse(undefined);
  stream.put("s1", "a1");
  await vi.waitUntil(() => run.succeeded().includes("a1"));
  const kinds = run.observations.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "problem")).toHaveLength(1);
  expect(kinds).toContain("recovered");
});

test("a stream that cannot be listed is a problem, and the source is ready for having tried", async () => {
  const stream = fakeStream("s1");
  stream.failNext("listShards", "AccessDeniedException");
  stream.put("s1", "a1");
  const run = runStream(stream, succeed);
  await run.source.ready;
  expect(run.observations[0]).toMatchObject({ kind: "problem", code: "AccessDeniedException" });
  await run.drained();
  expect(run.succeeded()).toEqual(["a1"]);
});

test("after a fault of the server an iterator is not trusted: reading finds its place by the last record", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1", "a2");
  const positions: string[] = [];
  const { iterator } = stream;
  stream.iterator = (shardId, afterSequenceNumber) => {
    positions.push(afterSequenceNumber ?? "TRIM_HORIZON");
    return iterator(shardId, afterSequenceNumber);
  };
  const run = runStream(stream, succeed);
  await run.drained();
  stream.failNext("read", "ECONNRESET");
  stream.put("s1", "a3");
  await run.drained();
  expect(run.batches.flat()).toEqual(["a1", "a2", "a3"]);
  expect(positions).toEqual(["TRIM_HORIZON", "s1-0002"]);
});

test("an expired iterator is replaced after the last record that was read", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  const run = runStream(stream, succeed);
  await run.drained();
  stream.failNext("read", "ExpiredIteratorException");
  stream.put("s1", "a2");
  await run.drained();
  expect(run.batches.flat()).toEqual(["a1", "a2"]);
});

test("when the stream no longer has the last record, that is a problem and reading goes on with the oldest", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  const run = runStream(stream, succeed);
  await run.drained();
  stream.failNext("read", "ExpiredIteratorException");
  stream.failNext("iterator", "TrimmedDataAccessException");
  stream.put("s1", "a2");
  await vi.waitUntil(() => run.succeeded().includes("a2"));
  expect(run.batches).toEqual([["a1"], ["a1", "a2"]]);
  expect(run.observations).toContainEqual(
    expect.objectContaining({ kind: "problem", code: "TrimmedDataAccessException" }),
  );
});
