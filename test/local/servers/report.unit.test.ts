import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Phase } from "../../../dist/local/servers/report.js";
import { step } from "../../../dist/local/servers/report.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a step says that it starts, gives signs of life, says how long it took, and is on the list of phases", async () => {
  const lines: string[] = [];
  const phases: Phase[] = [];
  const running = step(
    (line) => lines.push(line),
    "Starting",
    () => new Promise((resolve) => setTimeout(resolve, 7_200, "up")),
    phases,
  );
  await vi.advanceTimersByTimeAsync(7_200);
  expect(await running).toBe("up");
  expect(lines).toEqual([
    "Starting ...",
    "Starting: still running after 3.0 s",
    "Starting: still running after 6.0 s",
    "Starting: done in 7.2 s",
  ]);
  expect(phases).toEqual([{ name: "Starting", milliseconds: 7_200 }]);
});

test("what a step says itself is a sign of life", async () => {
  const lines: string[] = [];
  const running = step(
    (line) => lines.push(line),
    "Starting",
    async (report) => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      report("half way");
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    },
  );
  await vi.advanceTimersByTimeAsync(4_000);
  await running;
  expect(lines).toEqual(["Starting ...", "half way", "Starting: done in 4.0 s"]);
});

test("a step that fails says so, is not on the list of phases, and throws what it failed with", async () => {
  const lines: string[] = [];
  const phases: Phase[] = [];
  await expect(
    step(
      (line) => lines.push(line),
      "Starting",
      () => Promise.reject(new Error("no")),
      phases,
    ),
  ).rejects.toThrow("no");
  expect(lines).toEqual(["Starting ...", "Starting: failed after 0.0 s"]);
  expect(phases).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
