import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import type { StagedChange } from "../../runtime/store/store";
import { type Bank, newAccount, once, type ReadAccount } from "./outbox-under-test";

const LIMIT_BYTES = 245_760;

/** What must not be written, and leaves nothing behind. */
export function describeRefusals(name: string, bank: Bank): void {
  const { commit, opened, crediting, everything } = bank;

  describe(`${name}: neither a change nor an event nor an inbox record is there after`, () => {
    /** Commits what is not to be written, by itself and among others, and looks that nothing was. */
    const nothingWritten = async (
      staged: () => StagedChange,
      ids: string[],
      expectation: (committing: Promise<unknown>) => Promise<unknown>,
    ) => {
      const before = await everything(ids);
      for (const isFirst of [true, false]) {
        const other = newAccount();
        const [opening, messageId] = [bank.store().opening(other), uuid()];
        await expectation(commit([staged()], once(messageId)));
        await expectation(commit(isFirst ? [staged(), opening] : [opening, staged()], once(messageId)));
        expect(await everything(ids)).toEqual(before);
        expect(await everything([other.accountId])).toEqual([[null, []]]);
        expect(await bank.store().isProcessed("bank.commands", messageId)).toBe(false);
      }
    };
    const conflict = { outcome: "conflict", aggregate: expect.stringContaining("bank.Account") as string };

    test.each<[string, (stale: ReadAccount) => StagedChange]>([
      ["an update of a version that is gone", (stale) => crediting(stale, 9)],
      ["a removal of a version that is gone", (stale) => bank.store().closing(stale)],
      ["a creation of what is there", ({ accountId }) => bank.store().opening(newAccount({ accountId }))],
    ])("%s, which is a conflict", async (_, stage) => {
      const stale = await opened();
      await commit([crediting(stale)]);
      await nothingWritten(
        () => stage(stale),
        [stale.accountId],
        (committing) => expect(committing).resolves.toMatchObject(conflict),
      );
    });

    test("an update of what was removed meanwhile, which is a conflict", async () => {
      const stale = await opened();
      await commit([bank.store().closing(stale)]);
      await nothingWritten(
        () => crediting(stale, 9),
        [stale.accountId],
        (committing) => expect(committing).resolves.toMatchObject(conflict),
      );
    });

    test.each<[string, (read: ReadAccount) => StagedChange, RegExp]>([
      [
        "a change that does not fit",
        (read) => bank.store().changing(read, "AccountCredited", { amount: 0 }, {}),
        /^INVALID_CHANGE$/,
      ],
      [
        "a change with a field that the contract does not have",
        (read) => bank.store().changing(read, "AccountCredited", { amount: 1, pin: "1234" }, {}),
        /^INVALID_CHANGE$/,
      ],
      [
        "an event that the contract does not have",
        (read) => bank.store().changing(read, "AccountVanished", {}, {}),
        /^EVENT_UNKNOWN$/,
      ],
      ["a state that does not fit", (read) => crediting(read, -1), /^INVALID_STATE$/],
      [
        "a new state that does not fit",
        () => bank.store().opening(newAccount({ owner: "" })),
        /^INVALID_STATE$/,
      ],
      ["a number that is none", (read) => crediting(read, NaN), /^INVALID_(STATE|VALUE)$/],
      [
        "a NUL character",
        (read) => bank.store().changing(read, "AccountRenamed", {}, { grade: "\0" }),
        /^INVALID_(STATE|VALUE)$/,
      ],
      [
        "half of a surrogate pair",
        (read) => bank.store().changing(read, "AccountRenamed", {}, { grade: "\ud800" }),
        /^INVALID_(STATE|VALUE)$/,
      ],
      [
        "the same in a private field",
        (read) => bank.store().changing(read, "AccountRenamed", {}, { note: "\ud800" }),
        /^INVALID_(STATE|VALUE)$/,
      ],
      [
        "the same in what happened",
        (read) => bank.store().changing(read, "AccountRenamed", { memo: "\0" }, {}),
        /^INVALID_CHANGE$/,
      ],
      [
        "a key that is none",
        () => bank.store().opening(newAccount({ accountId: "" })),
        /^INVALID_(KEY|STATE|VALUE)$/,
      ],
    ])("%s, which is refused by a code", async (_, stage, code) => {
      const read = await opened();
      await nothingWritten(
        () => stage(read),
        [read.accountId],
        (committing) =>
          expect(committing).rejects.toMatchObject({ code: expect.stringMatching(code) as string }),
      );
    });

    test("an event over the limit, which is refused with its size in bytes and the limit", async () => {
      const read = await opened();
      const grade = "€".repeat(LIMIT_BYTES / 3);
      await nothingWritten(
        () => bank.store().changing(read, "AccountRenamed", {}, { grade }),
        [read.accountId],
        (committing) =>
          expect(committing).rejects.toMatchObject({
            code: "EVENT_TOO_LARGE",
            message: expect.stringMatching(
              new RegExp(`\\b245[89]\\d\\d bytes.*\\b${LIMIT_BYTES}\\b`),
            ) as string,
          }),
      );
      const fitting = "€".repeat(LIMIT_BYTES / 3 - 100);
      const outcome = await commit([bank.store().changing(read, "AccountRenamed", {}, { grade: fitting })]);
      expect(outcome).toMatchObject({ outcome: "committed" });
    });
  });
}
