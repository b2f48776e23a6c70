import fc from "fast-check";
import { expect, test } from "vitest";
import type { FaultAfter, FaultBefore } from "../../../../dist/local/event-sources/fault-plan.js";
import { fakeStream, nameOf } from "./fake-stream.js";
import { names, once, runStream, type FakeFunction } from "./run-stream.js";

const succeed: FakeFunction = () => [];

test("after a kill the shard is read again from its checkpoint, and nothing is lost", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", ...names("a", 6));
  let invocations = 0;
  const afterInvoke = (): Promise<FaultAfter | undefined> =>
    Promise.resolve((invocations += 1) === 2 ? "kill" : undefined);
  const run = runStream(stream, succeed, { batchSize: 2 }, { faults: { afterInvoke } });
  await run.drained();
  expect(run.batches).toEqual([
    ["a1", "a2"],
    ["a3", "a4"],
    ["a3", "a4"],
    ["a5", "a6"],
  ]);
});

test("a poller that is killed before its first checkpoint starts again at the beginning of the shard", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1", "a2");
  const kill = once<FaultBefore>("kill");
  const faults = { beforeInvoke: () => Promise.resolve(kill()) };
  const run = runStream(stream, succeed, {}, { faults });
  await run.drained();
  expect(run.succeeded()).toEqual(["a1", "a2"]);
  expect(run.recorder.counts()).toMatchObject({ received: 4, invocations: 1 });
});

test("a batch whose answer is lost is delivered again though its work is done, without counting an attempt", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  const lose = once<FaultAfter>("lose");
  const faults = { afterInvoke: () => Promise.resolve(lose()) };
  const run = runStream(stream, succeed, {}, { faults });
  await run.drained();
  expect(run.batches).toEqual([["a1"], ["a1"]]);
  expect(run.observations.filter(({ kind }) => kind === "invoked")).toMatchObject([
    { attempt: 1 },
    { attempt: 1 },
  ]);
});

test("a lost invocation does not reach the function; a doubled one does twice", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  const [lose, twice] = [once<FaultBefore>("lose"), once<FaultBefore>("twice")];
  const faults = { beforeInvoke: () => Promise.resolve(lose() ?? twice()) };
  const run = runStream(stream, succeed, {}, { faults });
  await run.drained();
  expect(run.recorder.counts()).toMatchObject({ undelivered: 1, invocations: 2, succeeded: 1 });
  expect(run.batches).toEqual([["a1"], ["a1"]]);
});

test("a fault may put another result in the place of the answer", async () => {
  const stream = fakeStream("s1");
  stream.put("s1", "a1");
  const crash = once<FaultAfter>({ kind: "functionError", reason: "Runtime exited" });
  const run = runStream(stream, succeed, {}, { faults: { afterInvoke: () => Promise.resolve(crash()) } });
  await run.drained();
  expect(run.recorder.counts()).toMatchObject({ invocations: 2, failed: 1, succeeded: 1 });
});

test("whatever fails, every record is processed at least once and in order, and the checkpoint passes no other", async () => {
  const scenario = fc.record({
    records: fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 30 }),
    answers: fc.array(
      fc.constantFrom("ok", "first", "last", "throw", "bad", "throttle", "lose", "kill", "twice"),
      {
        maxLength: 25,
      },
    ),
    batchSize: fc.integer({ min: 1, max: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ records, answers, ...inputs }) => {
      const stream = fakeStream("s1");
      const all = records.map((key, index) => `${key}${index + 1}`);
      stream.put("s1", ...all);
      const left = [...answers];
      let answer: string | undefined;
      const beforeInvoke = (): Promise<FaultBefore | undefined> => {
        answer = left.shift();
        return Promise.resolve(
          answer === "kill" || answer === "twice" || answer === "lose" ? answer : undefined,
        );
      };
      const fake: FakeFunction = (batch) => {
        if (answer === "throw") throw new Error("no");
        if (answer === "throttle") return { kind: "throttled", reason: "busy" };
        if (answer === "bad") return { kind: "answered", response: { batchItemFailures: [{}] } };
        if (answer === "first") return batch.slice(0, 1);
        return answer === "last" ? batch.slice(-1) : [];
      };
      const run = runStream(stream, fake, inputs, { faults: { beforeInvoke } });
      await run.drained();
      await run.stop();
      expect([...new Set(run.succeeded())]).toEqual(all);
      // Replays what was observed: a checkpoint never passes a record that is not processed.
      const processed = new Set<string>();
      for (const seen of run.observations) {
        if (seen.kind === "succeeded")
          for (const record of seen.records) processed.add(nameOf(record as object));
        if (seen.kind !== "checkpointed") continue;
        const passed = Number(seen.sequenceNumber.split("-")[1]);
        expect(all.slice(0, passed).filter((name) => !processed.has(name))).toEqual([]);
      }
      expect(run.checkpoints().at(-1)).toBe(`s1-${String(all.length).padStart(4, "0")}`);
    }),
    { numRuns: 60 },
  );
});
