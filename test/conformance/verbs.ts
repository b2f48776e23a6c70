import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { command, react, type StagedChange } from "../../runtime";
import { answerCommand } from "../../runtime/command/handler";
import type { StoreOpener } from "../../runtime/store/store";
import { makeReactionHandler } from "../../runtime/reaction/handler";
import { Account, accounts, newAccount, type ReadAccount } from "../support/domain/account";
import { capturedLog, problems } from "../support/process/captured-log";
import { lambdaContext } from "../support/domain/outbox-records";
import { cloudEvent, queueBatch } from "../support/domain/domain-events";
import { type Bank, once, upTo } from "./store-under-test";

const TWICE = "0a2e4c5d-1111-4222-8333-444455556666";
const refusal = (code: string) => expect.objectContaining({ code }) as Error;

/** Reads and writes of a table in a command or reaction. */
export function describeVerbs(name: string, bank: Bank): void {
  describeReads(name, bank);
  describeChanges(name, bank);
  describeAnswers(name, bank);
  describeReactions(name, bank);
}

function describeReads(name: string, { accounts, commit, opened, closing }: Bank): void {
  describe(`${name}: reading`, () => {
    test("returns rows by the contract's names, with their private fields and the version", async () => {
      const owner = uuid();
      const { accountId } = await opened({ owner, note: "private" });
      const row = { ...newAccount(accountId), owner, note: "private", version: 1 };
      expect(await accounts().find(accountId)).toEqual(row);
      expect(await accounts().get(accountId)).toEqual(row);
      expect(await accounts().where("owner", owner)).toEqual([row]);
    });

    test("by an index finds all that have the value at present, each at its version", async () => {
      const [owner, other] = [uuid(), uuid()];
      const [one, two, moved, gone] = [
        await opened({ owner }),
        await opened({ owner }),
        await opened({ owner }),
        await opened({ owner }),
      ];
      await opened({ owner: other });
      await commit([accounts().update(two, { grade: "silver" }).raise("AccountRenamed")]);
      await commit([accounts().update(moved, { owner: other }).raise("AccountRenamed")]);
      await commit([closing(gone)]);
      const found = await accounts().where("owner", owner);
      expect(found.map(({ accountId, version }) => `${accountId} ${version}`).sort()).toEqual(
        [`${one.accountId} 1`, `${two.accountId} 2`].sort(),
      );
      expect(await accounts().where("owner", other)).toHaveLength(2);
      expect(await accounts().where("owner", uuid())).toEqual([]);
    });

    test("by an index that the table does not declare is refused", async () => {
      for (const index of ["grade", "balance", "accountId", "version", "nothing", "__proto__"]) {
        await expect(accounts().where(index as "owner", "gold")).rejects.toMatchObject({
          code: "INDEX_UNKNOWN",
          message: expect.stringContaining(`"${index}"`) as string,
        });
      }
    });

    test("finds nothing of what never was, or was removed", async () => {
      const owner = uuid();
      const read = await opened({ owner });
      await commit([closing(read)]);
      for (const id of [uuid(), read.accountId]) {
        expect(await accounts().find(id)).toBeUndefined();
        await expect(accounts().get(id)).rejects.toMatchObject({ code: "ACCOUNT_UNKNOWN" });
      }
      expect(await accounts().where("owner", owner)).toEqual([]);
    });
  });
}

function describeChanges(name: string, bank: Bank): void {
  const { accounts, commit, opened, opening, crediting, closing, events, versions } = bank;

  describe(`${name}: an update`, () => {
    test("sets the fields that it names and keeps the others, private ones too", async () => {
      const read = await opened({ note: "private" });
      await commit([accounts().update(read, { balance: 5 }).raise("AccountRenamed")]);
      const row = await accounts().get(read.accountId);
      expect(row).toEqual({ ...read, balance: 5, version: 2 });
      await commit([accounts().update(row, { note: "other" }).raise("AccountRenamed")]);
      expect(await accounts().get(read.accountId)).toEqual({ ...row, note: "other", version: 3 });
    });

    test("of an optional field to undefined removes it", async () => {
      const read = await opened({ note: "private" });
      await commit([accounts().update(read, { note: undefined }).raise("AccountRenamed")]);
      const { note, ...row } = await accounts().get(read.accountId);
      expect(note ?? undefined).toBeUndefined();
      expect(row).toEqual({ ...newAccount(read.accountId), version: 2 });
    });

    test("writes neither a given version nor fields that the table does not have", async () => {
      const read = await opened();
      const fields = { balance: 5, version: 77, stowaway: "x", removed: true } as { balance: number };
      await commit([accounts().update(read, fields).raise("AccountRenamed")]);
      const row = await accounts().get(read.accountId);
      expect(row).toMatchObject({ balance: 5, version: 2 });
      expect(row).not.toHaveProperty("stowaway");
      expect((await events(read.accountId))[1]).toMatchObject({
        version: 2,
        state: { ...newAccount(read.accountId), balance: 5 },
      });
    });
  });

  describe(`${name}: what was not read as it is cannot be changed:`, () => {
    test.each<[string, (read: ReadAccount) => object]>([
      ["no version", ({ version: _, ...row }) => row],
      ["the version 0", (row) => ({ ...row, version: 0 })],
      ["a version that is a text", (row) => ({ ...row, version: "1" })],
      ["a version between two", (row) => ({ ...row, version: 1.5 })],
      ["a version that is not a number", (row) => ({ ...row, version: NaN })],
      ["no key", ({ accountId: _, ...row }) => row],
      ["a key that is null", (row) => ({ ...row, accountId: null })],
    ])("a row with %s is refused when the change is described", async (_, made) => {
      const read = await opened();
      const row = made(read) as ReadAccount;
      for (const describe of [
        () => accounts().update(row, { balance: 1 }),
        () => accounts().update(row, { accountId: read.accountId } as object),
        () => accounts().remove(row),
      ]) {
        expect(describe).toThrow(refusal("ROW_NOT_READ"));
      }
      expect(await versions(read.accountId)).toEqual(["1 AccountOpened"]);
    });

    test("another key is refused when the change is described", async () => {
      const read = await opened();
      const other = uuid();
      const moving = (accountId: unknown) => () =>
        accounts().update(read, { accountId, balance: 1 } as object);
      expect(moving(other)).toThrow(
        expect.objectContaining({
          code: "KEY_CHANGED",
          message: `The accountId of bank.Account "${read.accountId}" cannot change (to "${other}"). Remove the aggregate and create another one: consumers know it by its key.`,
        }),
      );
      for (const wrong of [null, "", 5]) expect(moving(wrong)).toThrow(refusal("KEY_CHANGED"));
      for (const same of [read.accountId, undefined]) expect(moving(same)).not.toThrow();
    });
  });

  describe(`${name}: an aggregate that is changed twice in one commit`, () => {
    test.each<[string, (read: ReadAccount) => StagedChange[]]>([
      ["updated and updated", (read) => [crediting(read), crediting(read, 9)]],
      ["updated and removed", (read) => [crediting(read), closing(read)]],
      ["removed and created", (read) => [closing(read), opening(read.accountId)]],
      ["created and created", () => Array<StagedChange>(2).fill(opening(TWICE))],
    ])("is refused by a code, and nothing is written: %s", async (_, changes) => {
      const read = await opened();
      await expect(commit([opening(uuid()), ...changes(read)])).rejects.toMatchObject({
        code: "AGGREGATE_CHANGED_TWICE",
        message: expect.stringMatching(/^bank\.Account "[^"]+" is changed twice in one commit\./) as string,
      });
      expect(await versions(read.accountId)).toEqual(["1 AccountOpened"]);
      expect(await versions(TWICE)).toEqual([]);
    });
  });

  describe(`${name}: a creation of what exists`, () => {
    test("is a conflict that names it, alone and among others", async () => {
      const { accountId } = await opened();
      const conflict = { outcome: "conflict", aggregate: "bank.Account", existing: accountId };
      expect(await commit([opening(accountId)])).toMatchObject(conflict);
      expect(await commit([opening(uuid()), opening(accountId)])).toMatchObject(conflict);
      expect(await commit([opening(accountId), opening(uuid())], once(uuid()))).toMatchObject(conflict);
      expect(await versions(accountId)).toEqual(["1 AccountOpened"]);
    });

    test("is not what other conflicts are taken for", async () => {
      const stale = await opened();
      await commit([crediting(stale)]);
      for (const changes of [[crediting(stale)], [closing(stale)], [opening(uuid()), crediting(stale)]]) {
        const outcome = await commit(changes);
        expect(outcome).toMatchObject({ outcome: "conflict" });
        expect(outcome).not.toHaveProperty("existing");
      }
    });
  });
}

function describeAnswers(name: string, bank: Bank): void {
  const uses = { accounts };
  const input = () => z.object({ accountId: z.string() });

  describe(`${name}: a command`, () => {
    /** Answers a command that opens an account, or applies `otherwise` to one that it finds. */
    const open = (find: boolean) => {
      let runs = 0;
      const handling = command({
        uses,
        input,
        handle: async ({ accountId }, { accounts }) => {
          runs += 1;
          const account = find ? await accounts.find(accountId) : undefined;
          // Other writers commit between the read and the commit.
          if (find && runs === 1) await bank.commit([bank.opening(accountId)]);
          if (!account) return accounts.create(newAccount(accountId)).raise("AccountOpened");
          return accounts.update(account, { balance: 5 }).raise("AccountRenamed");
        },
      });
      const answer = (accountId: string, id?: string) =>
        answerCommand("bank", { open: handling }, bank.store(), {
          command: "open",
          input: { accountId },
          ...(id === undefined ? {} : { id }),
        });
      return { answer, runs: () => runs };
    };

    test("that creates what exists is rejected after fresh reads, and nothing is written", async () => {
      const { accountId } = await bank.opened();
      const { answer, runs } = open(false);
      const id = uuid();
      expect(await answer(accountId, id)).toEqual({
        outcome: "rejected",
        id,
        code: "ACCOUNT_EXISTS",
        message: `The bank.Account "${accountId}" exists. Use another id.`,
      });
      expect(runs()).toBe(3);
      expect(await bank.versions(accountId)).toEqual(["1 AccountOpened"]);
      expect(await bank.isProcessed("bank.commands", id)).toBe(false);
    });

    test("that finds on fresh reads the aggregate that it was about to create takes its other branch", async () => {
      const accountId = uuid();
      const { answer, runs } = open(true);
      expect(await answer(accountId)).toMatchObject({ outcome: "done", changes: [{ version: 2 }] });
      expect(runs()).toBe(2);
      expect(await bank.accounts().get(accountId)).toMatchObject({ balance: 5, version: 2 });
    });

    test("is rejected in all requests but one that create the same at once", async () => {
      const accountId = uuid();
      const { answer } = open(false);
      const answers = await Promise.all(upTo(8).map(() => answer(accountId, uuid())));
      expect(answers.filter(({ outcome }) => outcome === "done")).toHaveLength(1);
      expect(answers.filter((one) => "code" in one && one.code === "ACCOUNT_EXISTS")).toHaveLength(7);
      expect(await bank.versions(accountId)).toEqual(["1 AccountOpened"]);
    });
  });
}

function describeReactions(name: string, bank: Bank): void {
  const log = capturedLog();
  const opener: StoreOpener<never> = { variables: [], open: () => bank.store() };
  const reactions = react(Account, {
    uses: { accounts },
    on: {
      AccountCredited: async ({ aggregateId }, { accounts }) => {
        const account = await accounts.get(aggregateId);
        return accounts.update(account, { balance: account.balance + 1 }).raise("AccountRenamed");
      },
      AccountRenamed: async ({ aggregateId }, { accounts }) =>
        accounts.create(newAccount(aggregateId)).raise("AccountOpened"),
    },
  });
  const receive = (event: ReturnType<typeof cloudEvent>) =>
    makeReactionHandler("shop.accounts", reactions, opener).callbackFactory()(
      queueBatch([event]),
      lambdaContext(),
    );
  const back = { batchItemFailures: [{ itemIdentifier: "m1" }] };

  describe(`${name}: a reaction`, () => {
    test("to an unknown aggregate returns its message until the aggregate is known, and then takes effect once", async () => {
      const aggregateId = uuid();
      const event = cloudEvent({ type: "AccountCredited", aggregateId });
      expect(await receive(event)).toEqual(back);
      expect(problems(log)).toMatchObject([{ messageId: "m1", code: "ACCOUNT_UNKNOWN" }]);
      expect(await bank.isProcessed("shop.accounts", event.id)).toBe(false);
      await bank.commit([bank.opening(aggregateId)]);
      for (const _ of upTo(2)) expect(await receive(event)).toEqual({ batchItemFailures: [] });
      expect(await bank.accounts().get(aggregateId)).toMatchObject({ balance: 1, version: 2 });
    });

    test("that creates an existing aggregate returns its message, with the code of the rejection", async () => {
      const { accountId } = await bank.opened();
      const event = cloudEvent({ type: "AccountRenamed", aggregateId: accountId });
      expect(await receive(event)).toEqual(back);
      expect(problems(log)).toMatchObject([{ messageId: "m1", code: "ACCOUNT_EXISTS" }]);
      expect(await bank.isProcessed("shop.accounts", event.id)).toBe(false);
    });
  });
}
