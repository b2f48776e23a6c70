import { beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { command, reject, type StagedChange } from "../../../runtime";
import { answerCommand, fingerprintOf } from "../../../runtime/command/handler";
import type { CommitOutcome } from "../../../runtime/store/store";
import { CONFLICT, fakeStore } from "../../support/domain/fake-store";

const INPUT = { owner: "Ada" };
const COMMITTED = { aggregate: "bank.Account", id: "a", version: 1, event: "AccountOpened", eventId: "e" };
const FIRST = { fingerprint: fingerprintOf("open", INPUT), changes: [COMMITTED] };
const ANOTHER = { fingerprint: fingerprintOf("open", { owner: "Eve" }), changes: [COMMITTED] };
const REPEATED = { outcome: "done", id: "r1", changes: [COMMITTED], repeated: true };
const UNKNOWN: CommitOutcome = { outcome: "unknown", message: "No answer came." };
const ONCE = { consumer: "bank.commands", messageId: "r1", fingerprint: FIRST.fingerprint };

beforeEach(() => {
  // No pause between tries.
  vi.spyOn(Math, "random").mockReturnValue(0);
});

/** The answer of the only command, "open", which handles requests like this. */
const answer = (
  store: ReturnType<typeof fakeStore>,
  request: object = { id: "r1" },
  handle: () => StagedChange[] | ReturnType<typeof reject> = () => [],
) => {
  const open = command({
    uses: {},
    input: () => z.object({ owner: z.string() }),
    handle: async () => handle(),
  });
  return answerCommand("bank", { open }, store, { command: "open", input: INPUT, ...request });
};
const failing = () => {
  throw new Error("Cannot divide by zero");
};

describe("the inbox is not asked", () => {
  test("for a first request that is done", async () => {
    const store = fakeStore([{ outcome: "committed", changes: [COMMITTED] }]);
    expect(await answer(store)).toEqual({ outcome: "done", id: "r1", changes: [COMMITTED] });
    expect(store.asked).toEqual([]);
  });

  test("for a request without an id, whatever becomes of it", async () => {
    const store = fakeStore([UNKNOWN, CONFLICT, CONFLICT, CONFLICT], FIRST);
    expect(await answer(store, {})).toMatchObject({ outcome: "unknown" });
    expect(await answer(store, {})).toMatchObject({ outcome: "conflict" });
    expect(await answer(store, {}, () => reject("NO", "No."))).toMatchObject({ outcome: "rejected" });
    expect(await answer(store, { input: 5 })).toMatchObject({ outcome: "invalid" });
    await expect(answer(store, {}, failing)).rejects.toThrow("Cannot divide by zero");
    expect(store.asked).toEqual([]);
  });
});

describe("a request whose id was committed before is answered by that", () => {
  test.each([
    ["the commit finds it", [{ outcome: "duplicate" }], {}, undefined],
    ["the command would reject it now", [], {}, () => reject("ACCOUNT_EXISTS", "It is there.")],
    ["it loses every race now", [CONFLICT, CONFLICT, CONFLICT], {}, undefined],
    [
      "what it creates exists now",
      Array<CommitOutcome>(3).fill({ ...CONFLICT, existing: "a" }),
      {},
      undefined,
    ],
    ["the command fails now", [], {}, failing],
    ["the commit fails now", [new Error("No.")], {}, undefined],
    ["the database does not answer the commit now", [UNKNOWN], {}, undefined],
  ] as const)("where %s", async (_, outcomes, request, handle) => {
    const store = fakeStore([...outcomes], FIRST);
    expect(await answer(store, { id: "r1", ...request }, handle)).toEqual(REPEATED);
    expect(store.asked).toEqual([ONCE]);
  });

  test("where its input is not valid any more, or its command is gone", async () => {
    const invalid = { fingerprint: fingerprintOf("open", { owner: 5 }), changes: [COMMITTED] };
    expect(await answer(fakeStore([], invalid), { id: "r1", input: { owner: 5 } })).toEqual(REPEATED);
    const gone = { fingerprint: fingerprintOf("close", INPUT), changes: [COMMITTED] };
    expect(await answer(fakeStore([], gone), { id: "r1", command: "close" })).toEqual(REPEATED);
  });

  test("with the fields in their own order, whatever the database made of it", async () => {
    const { eventId, event, version, id, aggregate } = COMMITTED;
    const stored = { ...FIRST, changes: [{ eventId, event, version, id, aggregate }] };
    const text = JSON.stringify(await answer(fakeStore([{ outcome: "duplicate" }], stored)));
    expect(text).toBe(JSON.stringify(REPEATED));
  });

  test("or refused by a code, if it was another request's", async () => {
    for (const store of [fakeStore([{ outcome: "duplicate" }], ANOTHER), fakeStore([UNKNOWN], ANOTHER)]) {
      expect(await answer(store)).toEqual({
        outcome: "rejected",
        id: "r1",
        code: "REQUEST_ID_REUSED",
        message:
          'The id "r1" belongs to another request, which was done. Use a new id for each request; resend an id only with the same command and input.',
      });
    }
    const rejecting = () => reject("ACCOUNT_EXISTS", "It is there.");
    expect(await answer(fakeStore([], ANOTHER), { id: "r1" }, rejecting)).toMatchObject({
      code: "REQUEST_ID_REUSED",
    });
    expect(await answer(fakeStore([], ANOTHER), { id: "r1" }, failing)).toMatchObject({
      code: "REQUEST_ID_REUSED",
    });
  });

  test("as done without changes, if the record is gone by the time that it is read", async () => {
    expect(await answer(fakeStore([{ outcome: "duplicate" }]))).toEqual({ ...REPEATED, changes: [] });
  });
});

describe("a request whose id was not committed before", () => {
  test.each([
    ["rejected", () => reject("NO", "No."), []],
    ["conflict", undefined, [CONFLICT, CONFLICT, CONFLICT]],
    ["unknown", undefined, [UNKNOWN]],
  ] as const)("keeps its own answer: %s", async (outcome, handle, outcomes) => {
    const store = fakeStore([...outcomes]);
    expect(await answer(store, { id: "r1" }, handle)).toMatchObject({ outcome, id: "r1" });
    expect(store.asked).toEqual([ONCE]);
  });

  test("keeps its own error", async () => {
    await expect(answer(fakeStore(), { id: "r1" }, failing)).rejects.toThrow("Cannot divide by zero");
  });
});

describe("an inbox that cannot be asked", () => {
  const broken = (outcomes: CommitOutcome[] = []) => fakeStore(outcomes, new Error("The inbox is gone"));

  test("is an error where a request would be refused: it may have been done before", async () => {
    await expect(answer(broken(), { id: "r1" }, () => reject("NO", "No."))).rejects.toThrow(
      "The inbox is gone",
    );
    await expect(answer(broken([CONFLICT, CONFLICT, CONFLICT]))).rejects.toThrow("The inbox is gone");
  });

  test("leaves an unknown answer unknown, and an error as it is", async () => {
    expect(await answer(broken([UNKNOWN]))).toMatchObject({ outcome: "unknown" });
    await expect(answer(broken(), { id: "r1" }, failing)).rejects.toThrow("Cannot divide by zero");
  });
});

describe("an answer that is not known", () => {
  test("says to send the request again under its id", async () => {
    expect(await answer(fakeStore([UNKNOWN]))).toEqual({
      outcome: "unknown",
      id: "r1",
      message: 'No answer came. Resend the same request with the id "r1": it cannot take effect twice.',
    });
  });

  test("says to look first where the request had no id", async () => {
    expect(await answer(fakeStore([UNKNOWN]), {})).toMatchObject({
      outcome: "unknown",
      message:
        "No answer came. Check whether it took effect before you send it again. A request with an id can be resent safely.",
    });
  });
});
