import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { codedError } from "../../../runtime/function/coded-error";
import { reject } from "../../../runtime/define/command";
import { commitOnFreshReads } from "../../../runtime/store/commit-on-fresh-reads";
import { CONFLICT, fakeStore } from "../../support/fake-store";

const CONTEXT = { correlationId: "request-1" };
const MAX_ATTEMPTS = 4;

/** Pauses that were taken. */
let pauses: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  pauses = vi.spyOn(globalThis, "setTimeout");
});
afterEach(() => vi.restoreAllMocks());

const run = (store: ReturnType<typeof fakeStore>, describe = vi.fn(async () => [])) =>
  commitOnFreshReads(describe, store, CONTEXT, MAX_ATTEMPTS);
const lost = () => codedError("CONNECTION_LOST", "The connection broke");
const passing = (code: string) => Object.assign(new Error(code), { code });

describe("what lost a race", () => {
  test("is read and described again after a pause", async () => {
    const describe = vi.fn(async () => []);
    const store = fakeStore([CONFLICT, CONFLICT]);
    expect(await run(store, describe)).toMatchObject({ outcome: "committed" });
    expect(describe).toHaveBeenCalledTimes(3);
    expect(pauses).toHaveBeenCalledTimes(2);
  });

  test("every time is a conflict, without a pause after the last attempt", async () => {
    const store = fakeStore(Array<typeof CONFLICT>(9).fill(CONFLICT));
    expect(await run(store)).toEqual(CONFLICT);
    expect(store.commits).toHaveLength(MAX_ATTEMPTS);
    expect(pauses).toHaveBeenCalledTimes(MAX_ATTEMPTS - 1);
  });
});

describe("what failed in a way that passes", () => {
  test.each(["CONNECTION_LOST", "40001", "40P01"])(
    "is tried again: %s, in a read or in the commit",
    async (code) => {
      const describe = vi.fn(async () => []);
      describe.mockRejectedValueOnce(passing(code));
      const store = fakeStore([passing(code)]);
      expect(await run(store, describe)).toMatchObject({ outcome: "committed" });
      expect(describe).toHaveBeenCalledTimes(3);
    },
  );

  test("every time stays its error, without a pause after the last attempt", async () => {
    const error = lost();
    const describe = vi.fn().mockRejectedValue(error);
    await expect(run(fakeStore(), describe)).rejects.toBe(error);
    expect(describe).toHaveBeenCalledTimes(MAX_ATTEMPTS);
    expect(pauses).toHaveBeenCalledTimes(MAX_ATTEMPTS - 1);
  });
});

describe("not tried again is", () => {
  test.each(["23514", "ECONNREFUSED", "57014", "INVALID_STATE"])("any other error: %s", async (code) => {
    const store = fakeStore([passing(code)]);
    await expect(run(store)).rejects.toMatchObject({ code });
    expect(store.commits).toHaveLength(1);
  });

  test.each([{ outcome: "duplicate" }, { outcome: "unknown", message: "No answer." }] as const)(
    "what ended as $outcome",
    async (outcome) => {
      const store = fakeStore([outcome]);
      expect(await run(store)).toEqual(outcome);
      expect(store.commits).toHaveLength(1);
    },
  );

  test("a rejection, and nothing is committed", async () => {
    const store = fakeStore();
    const rejection = reject("NO", "No.");
    expect(await commitOnFreshReads(async () => rejection, store, CONTEXT, MAX_ATTEMPTS)).toBe(rejection);
    expect(store.commits).toEqual([]);
  });
});
