import { describe, expect, test, vi } from "vitest";
import { inTime, shareOfTime } from "../../../runtime/function/time-left";

describe("the time of a message", () => {
  test("is an equal share of what the function has left, less three seconds to answer in", () => {
    expect(shareOfTime(30_000, 10)).toBe(2_700);
    expect(shareOfTime(30_000, 1)).toBe(27_000);
  });

  test("is none when there is too little to begin", () => {
    expect(shareOfTime(8_000, 10)).toBe(500);
    expect(shareOfTime(7_999, 10)).toBeUndefined();
    expect(shareOfTime(3_000, 1)).toBeUndefined();
    expect(shareOfTime(0, 1)).toBeUndefined();
  });
});

describe("work", () => {
  test("that is done in time gives its result, or its own error", async () => {
    await expect(inTime(1_000, Promise.resolve("done"))).resolves.toBe("done");
    await expect(inTime(1_000, Promise.reject(new Error("its own")))).rejects.toThrow("its own");
  });

  test("that takes longer is given up, and its late failure ends nothing", async () => {
    vi.useFakeTimers();
    try {
      const late = new Promise((_, reject) => setTimeout(() => reject(new Error("late")), 2_000));
      const waiting = expect(inTime(1_000, late)).rejects.toMatchObject({ code: "MESSAGE_TIMED_OUT" });
      await vi.advanceTimersByTimeAsync(1_000);
      await waiting;
      await vi.advanceTimersByTimeAsync(1_500);
    } finally {
      vi.useRealTimers();
    }
  });
});
