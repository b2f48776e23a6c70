import { beforeEach, describe, expect, test, vi } from "vitest";
import { untilKnown } from "../../../runtime/store/until-known";
import type { CommitOutcome } from "../../../runtime/store/store";
import { CONFLICT } from "../../support/fake-store";

const CHANGES = [{ aggregate: "bank.Account", id: "a", version: 1, event: "AccountOpened", eventId: "e" }];
const COMMITTED: CommitOutcome = { outcome: "committed", changes: CHANGES };
const UNKNOWN: CommitOutcome = { outcome: "unknown", message: "No answer came." };
const DUPLICATE: CommitOutcome = { outcome: "duplicate" };
const TIMEOUT = Object.assign(new Error("canceling statement due to statement timeout"), { code: "57014" });

beforeEach(() => {
  // No pause between tries.
  vi.spyOn(Math, "random").mockReturnValue(0);
});

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
