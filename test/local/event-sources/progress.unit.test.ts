import { describe, expect, test } from "vitest";
import { waitUntilAllDrained } from "../../../dist/local/event-sources/drain.js";
import type { EventSource } from "../../../dist/local/event-sources/event-source.js";
import { watchProgress } from "../../../dist/local/event-sources/progress.js";
import { waitUntilSettled } from "../../../dist/local/system/event-flow.js";

describe("what is watched", () => {
  /** Watches with a limit of 5 s and a clock of its own. */
  const watched = () => {
    let [value, time] = ["", 0];
    const watch = watchProgress(
      () => value,
      5_000,
      () => time,
    );
    return {
      look: (seconds: number, next = value) => {
        time += seconds * 1_000;
        value = next;
        return watch.isStalled();
      },
    };
  };

  test("stands still once it has not changed for the limit", () => {
    const { look } = watched();
    expect([1, 1, 1, 1, 1].map((seconds) => look(seconds))).toEqual([false, false, false, false, true]);
  });

  test("may take any time as long as it changes", () => {
    const { look } = watched();
    for (let step = 0; step < 1_000; step += 1) expect(look(0.9, String(step))).toBe(false);
  });

  test("does not stand still because this process did not run", () => {
    const { look } = watched();
    expect(look(3_600)).toBe(false);
    expect(look(3_600)).toBe(false);
    expect([1, 1, 1].map((seconds) => look(seconds))).toEqual([false, false, true]);
  });
});

/** A source with so many records, of which it finishes one at a time, or none. */
function slowSource(records: number, milliseconds: number, outcome: "succeeded" | "failed" = "succeeded") {
  const counts = { received: 0, filtered: 0, invocations: 0, succeeded: 0, failed: 0, undelivered: 0 };
  const timer = setInterval(() => {
    counts.invocations += 1;
    if (outcome === "failed" || counts.succeeded < records) counts[outcome] += 1;
  }, milliseconds);
  const source: EventSource = {
    ready: Promise.resolve(),
    status: () => ({
      functionName: "slow",
      sourceArn: "arn:queue",
      service: "sqs",
      state: "Enabled",
      problems: [],
      counts: { ...counts },
      inFlight: records - counts.succeeded,
    }),
    isIdle: () => Promise.resolve(counts.succeeded >= records),
    stop: () => Promise.resolve(clearInterval(timer)),
  };
  return source;
}

describe("a source that is slow", () => {
  test("is waited for beyond any fixed time, as long as it processes records", async () => {
    // It takes 1.5 s, and may stand still for 0.5 s.
    const source = slowSource(15, 100);
    const isDone = waitUntilAllDrained([source], { stallMilliseconds: 500 });
    // It goes on counting invocations, so it is never quiet; all of its records are processed.
    await Promise.race([isDone.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 1_700))]);
    expect(source.status().counts.succeeded).toBe(15);
    await source.stop();
    await isDone;
  });

  test("is given up when it only fails again and again, and is named with its failures", async () => {
    const source = slowSource(1, 20, "failed");
    await expect(waitUntilAllDrained([source], { stallMilliseconds: 300 })).rejects.toMatchObject({
      code: "EVENT_SOURCE_NOT_DRAINED",
      message: expect.stringMatching(/"arn:queue" of "slow" \(Enabled, 1 in flight, \d+ failed\)/) as string,
    });
    await source.stop();
  });
});

describe("a capture that is slow", () => {
  test("is waited for as long as it captures, and given up when it does not", async () => {
    let records = 0;
    const capture = { records: () => records, isIdle: () => Promise.resolve(records >= 10) };
    const timer = setInterval(() => (records += 1), 100);
    await waitUntilSettled([], capture, 400);
    expect(records).toBeGreaterThanOrEqual(10);
    clearInterval(timer);
    const stuck = { records: () => 0, isIdle: () => Promise.resolve(false) };
    await expect(waitUntilSettled([], stuck, 300)).rejects.toMatchObject({ code: "CAPTURE_NOT_DRAINED" });
  });
});
