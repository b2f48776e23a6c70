import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import type { StagedChange } from "../../runtime";
import type { ReadAccount } from "../support/domain/account";
import { type Bank, once } from "./store-under-test";

const LIMIT_BYTES = 245_760;

/** Commits that must be refused and leave nothing behind. */
export function describeRefusals(name: string, bank: Bank): void {
  const { commit, opened, opening, crediting, closing, everything } = bank;
  /** A change that does not compile in a command. */
  const changing = (read: ReadAccount, event: string, change: unknown, fields: object) =>
    bank
      .accounts()
      .update(read, fields)
      .raise(event as "AccountRenamed", change as object);

  describe(`${name}: neither a change nor an event nor an inbox record is there after`, () => {
    /** Commits a change that must be refused, alone and with others, and checks that nothing was written. */
    const nothingWritten = async (
      staged: () => StagedChange,
      ids: string[],
      expectation: (committing: Promise<unknown>) => Promise<unknown>,
    ) => {
      const before = await everything(ids);
      for (const isFirst of [true, false]) {
        const [other, messageId] = [uuid(), uuid()];
        await expectation(commit([staged()], once(messageId)));
        await expectation(
          commit(isFirst ? [staged(), opening(other)] : [opening(other), staged()], once(messageId)),
        );
        expect(await everything(ids)).toEqual(before);
        expect(await everything([other])).toEqual([[null, []]]);
        expect(await bank.isProcessed("bank.commands", messageId)).toBe(false);
      }
    };
    const conflict = { outcome: "conflict", aggregate: expect.stringContaining("bank.Account") as string };

    test.each<[string, (stale: ReadAccount) => StagedChange]>([
      ["an update of a version that is gone", (stale) => crediting(stale, 9)],
      ["a removal of a version that is gone", (stale) => closing(stale)],
      ["a creation of what is there", ({ accountId }) => opening(accountId)],
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
      await commit([closing(stale)]);
      await nothingWritten(
        () => crediting(stale, 9),
        [stale.accountId],
        (committing) => expect(committing).resolves.toMatchObject(conflict),
      );
    });

    test.each<[string, (read: ReadAccount) => StagedChange, RegExp]>([
      [
        "a change that does not fit",
        (read) => changing(read, "AccountCredited", { amount: 0 }, {}),
        /^INVALID_CHANGE$/,
      ],
      [
        "a change with a field that the contract does not have",
        (read) => changing(read, "AccountCredited", { amount: 1, pin: "1234" }, {}),
        /^INVALID_CHANGE$/,
      ],
      [
        "an event that the contract does not have",
        (read) => changing(read, "AccountVanished", {}, {}),
        /^EVENT_UNKNOWN$/,
      ],
      ["a state that does not fit", (read) => crediting(read, -1), /^INVALID_STATE$/],
      ["a new state that does not fit", () => opening(uuid(), { owner: "" }), /^INVALID_STATE$/],
      ["a number that is not one", (read) => crediting(read, NaN), /^INVALID_(STATE|VALUE)$/],
      [
        "a NUL character",
        (read) => changing(read, "AccountRenamed", {}, { grade: "\0" }),
        /^INVALID_(STATE|VALUE)$/,
      ],
      [
        "half of a surrogate pair",
        (read) => changing(read, "AccountRenamed", {}, { grade: "\ud800" }),
        /^INVALID_(STATE|VALUE)$/,
      ],
      [
        "the same in a private field",
        (read) => changing(read, "AccountRenamed", {}, { note: "\ud800" }),
        /^INVALID_(STATE|VALUE)$/,
      ],
      [
        "the same in what happened",
        (read) => changing(read, "AccountRenamed", { memo: "\0" }, {}),
        /^INVALID_CHANGE$/,
      ],
      ["an empty key", () => opening(""), /^INVALID_(KEY|STATE|VALUE)$/],
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
        () => changing(read, "AccountRenamed", {}, { grade }),
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
      const outcome = await commit([changing(read, "AccountRenamed", {}, { grade: fitting })]);
      expect(outcome).toMatchObject({ outcome: "committed" });
    });
  });
}
