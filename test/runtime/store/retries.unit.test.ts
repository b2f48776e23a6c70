import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { reject } from "../../../runtime";
import { codedError } from "../../../runtime/function/coded-error";
import { commitOnFreshReads, pause, untilKnown } from "../../../runtime/store/retries";
import type { CommitOutcome } from "../../../runtime/store/store";
import { found } from "../../../runtime/store/handles";
import { Account } from "../../support/domain/account";
import { CONFLICT, fakeStore } from "../../support/domain/fake-store";

/** Pauses that were taken; each is over at once. */
let pauses: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  pauses = vi.spyOn(globalThis, "setTimeout");
});
afterEach(() => vi.restoreAllMocks());

const CONTEXT = { correlationId: "request-1" };
const MAX_ATTEMPTS = 4;

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

describe("what creates an aggregate that exists", () => {
  const EXISTS = { ...CONFLICT, existing: "a" };

  test("is described again on fresh reads, and then ends in the standard rejection", async () => {
    const describe = vi.fn(async () => []);
    const store = fakeStore(Array<typeof EXISTS>(9).fill(EXISTS));
    expect(await run(store, describe)).toEqual({
      kind: "rejection",
      code: "ACCOUNT_EXISTS",
      message: 'The bank.Account "a" exists. Use another id.',
    });
    expect(describe).toHaveBeenCalledTimes(MAX_ATTEMPTS);
  });

  test("may find on fresh reads that there is something else to do", async () => {
    expect(await run(fakeStore([EXISTS]))).toMatchObject({ outcome: "committed" });
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

  test("what reads an aggregate that does not exist: its standard rejection, and nothing is committed", async () => {
    const store = fakeStore();
    const describe = vi.fn(() => found<never>(Promise.resolve(undefined), Account, "a"));
    expect(await commitOnFreshReads(describe, store, CONTEXT, MAX_ATTEMPTS)).toMatchObject({
      kind: "rejection",
      code: "ACCOUNT_UNKNOWN",
    });
    expect(describe).toHaveBeenCalledTimes(1);
    expect(store.commits).toEqual([]);
  });

  test("a rejection, and nothing is committed", async () => {
    const store = fakeStore();
    const rejection = reject("NO", "No.");
    expect(await commitOnFreshReads(async () => rejection, store, CONTEXT, MAX_ATTEMPTS)).toBe(rejection);
    expect(store.commits).toEqual([]);
  });
});

const CHANGES = [{ aggregate: "bank.Account", id: "a", version: 1, event: "AccountOpened", eventId: "e" }];
const COMMITTED: CommitOutcome = { outcome: "committed", changes: CHANGES };
const UNKNOWN: CommitOutcome = { outcome: "unknown", message: "No answer came." };
const DUPLICATE: CommitOutcome = { outcome: "duplicate" };
const TIMEOUT = Object.assign(new Error("canceling statement due to statement timeout"), { code: "57014" });

/** A commit whose tries end like this, the last one again and again; and what is found under its event ids then. */
function committing(tries: (CommitOutcome | Error)[], found: (typeof CHANGES | Error | undefined)[] = []) {
  const commit = vi.fn(async () => answered(tries.length > 1 ? tries.shift() : tries[0]));
  const find = vi.fn(async () => answered(found.shift()));
  return { commit, find, run: () => untilKnown(commit as () => Promise<CommitOutcome>, find) };
}
function answered<T>(answer: T | Error): T {
  if (answer instanceof Error) throw answer;
  return answer;
}

describe("a commit that is answered", () => {
  test.each([COMMITTED, CONFLICT, DUPLICATE])(
    "is tried once, and nothing else is asked: $outcome",
    async (outcome) => {
      const { commit, find, run } = committing([outcome]);
      expect(await run()).toBe(outcome);
      expect(commit).toHaveBeenCalledTimes(1);
      expect(find).not.toHaveBeenCalled();
    },
  );

  test("by an error keeps it", async () => {
    await expect(committing([TIMEOUT]).run()).rejects.toBe(TIMEOUT);
  });
});

describe("a commit whose answer was lost", () => {
  test("is tried again until it is committed", async () => {
    const { commit, run } = committing([UNKNOWN, UNKNOWN, COMMITTED]);
    expect(await run()).toBe(COMMITTED);
    expect(commit).toHaveBeenCalledTimes(3);
  });

  test.each([
    ["a conflict", CONFLICT],
    ["a duplicate", DUPLICATE],
    ["an error", TIMEOUT],
    ["no answer either", UNKNOWN],
  ])("is found committed where the further try ends as %s", async (_, outcome) => {
    expect(await committing([UNKNOWN, outcome], [CHANGES]).run()).toEqual(COMMITTED);
  });

  test("is found committed also if it was still at work when the further try had failed", async () => {
    expect(await committing([UNKNOWN, CONFLICT], [undefined, CHANGES]).run()).toEqual(COMMITTED);
    expect(await committing([UNKNOWN, TIMEOUT], [new Error("Busy"), CHANGES]).run()).toEqual(COMMITTED);
  });

  test("is a duplicate where another one was committed under the same id", async () => {
    expect(await committing([UNKNOWN, DUPLICATE]).run()).toBe(DUPLICATE);
  });

  test("is a conflict where every further try is, and nothing of it is found", async () => {
    const { commit, run } = committing([UNKNOWN, CONFLICT]);
    expect(await run()).toBe(CONFLICT);
    expect(commit.mock.calls.length).toBeGreaterThan(2);
  });

  test("is unknown where no further try is answered, or the last one fails", async () => {
    expect(await committing([UNKNOWN]).run()).toBe(UNKNOWN);
    expect(await committing([UNKNOWN, CONFLICT, TIMEOUT]).run()).toBe(UNKNOWN);
  });

  test("is not tried again once the function's time would not suffice", async () => {
    let now = 1_000_000;
    vi.spyOn(Date, "now").mockImplementation(() => (now += 5_000));
    const { commit, run } = committing([UNKNOWN]);
    expect(await run()).toBe(UNKNOWN);
    expect(commit).toHaveBeenCalledTimes(2);
  });
});

test("A pause takes a random time, which is longer from attempt to attempt", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  for (const attempt of [1, 2, 3]) await pause(attempt, 2);
  expect(pauses.mock.calls.map(([, milliseconds]: unknown[]) => milliseconds)).toEqual([2, 4, 8]);
});
