/** Requests with an id, in any store. */
import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { command, reject } from "../../runtime";
import { answerCommand, type CommandAnswer } from "../../runtime/command/handler";
import type { CommittedChange, Store } from "../../runtime/store/store";
import { accounts, newAccount } from "../support/domain/account";
import type { Bank } from "./store-under-test";

/** Sends a request to the commands `open`, `credit`, `transfer` and `close` of the accounts. */
export type SendRequest = (name: string, input: object, id?: string) => Promise<CommandAnswer>;

const REQUESTS_AT_ONCE = 20;

/** Sends requests to the commands of the accounts in this store. */
export function sender(store: () => Store): SendRequest {
  return (name, input, id) =>
    answerCommand("bank", COMMANDS, store(), { command: name, input, ...(id === undefined ? {} : { id }) });
}

/** The changes of a request that was done. */
export function changesOf(answer: CommandAnswer): CommittedChange[] {
  expect(answer).toMatchObject({ outcome: "done" });
  return (answer as CommandAnswer & { outcome: "done" }).changes;
}

/** Registers the tests. */
export function describeRepeatedRequests(name: string, bank: Bank): void {
  const send = sender(bank.store);
  const events = async (accountId: string) => (await bank.events(accountId)).length;
  const find = (accountId: string) => bank.accounts().find(accountId);
  const opened = async () => {
    const accountId = uuid();
    changesOf(await send("open", { accountId }));
    return accountId;
  };

  describe(`${name}: a request that is repeated`, () => {
    test("gets the answer of the first one, although the same command would be rejected now", async () => {
      const [accountId, id] = [uuid(), uuid()];
      const first = await send("open", { accountId }, id);
      expect(changesOf(first)).toMatchObject([
        { aggregate: "bank.Account", id: accountId, version: 1, event: "AccountOpened" },
      ]);
      expect(await send("open", { accountId })).toMatchObject({
        outcome: "rejected",
        code: "ACCOUNT_EXISTS",
      });
      expect(await send("open", { accountId }, id)).toEqual({ ...first, repeated: true });
      expect(await events(accountId)).toBe(1);
    });

    test("gets that answer after further changes, and after the aggregate is removed", async () => {
      const [accountId, id] = [await opened(), uuid()];
      const first = await send("credit", { accountId, amount: 5 }, id);
      changesOf(await send("credit", { accountId, amount: 1 }));
      expect(await send("credit", { accountId, amount: 5 }, id)).toEqual({ ...first, repeated: true });
      expect(await find(accountId)).toMatchObject({ balance: 6, version: 3 });
      changesOf(await send("close", { accountId }));
      expect(await send("credit", { accountId, amount: 5 }, id)).toEqual({ ...first, repeated: true });
      expect(await events(accountId)).toBe(4);
    });

    test("gets all the changes of the first one", async () => {
      const [from, to, id] = [await opened(), await opened(), uuid()];
      changesOf(await send("credit", { accountId: from, amount: 5 }));
      const first = await send("transfer", { from, to, amount: 5 }, id);
      expect(changesOf(first)).toMatchObject([
        { id: from, version: 3 },
        { id: to, version: 2 },
      ]);
      expect(await send("transfer", { from, to, amount: 5 }, id)).toEqual({ ...first, repeated: true });
      expect(JSON.stringify(changesOf(await send("transfer", { from, to, amount: 5 }, id)))).toBe(
        JSON.stringify(changesOf(first)),
      );
    });

    test("gets the answer that nothing was changed if nothing was, although there is something to change now", async () => {
      const [accountId, id] = [await opened(), uuid()];
      expect(await send("credit", { accountId, amount: 0 }, id)).toEqual({
        outcome: "done",
        id,
        changes: [],
      });
      expect(await send("credit", { accountId, amount: 0 }, id)).toEqual({
        outcome: "done",
        id,
        changes: [],
        repeated: true,
      });
      expect(await events(accountId)).toBe(1);
    });

    test("runs again if it was rejected before, since rejections are not recorded", async () => {
      const [accountId, id] = [uuid(), uuid()];
      expect(await send("credit", { accountId, amount: 5 }, id)).toMatchObject({
        outcome: "rejected",
        code: "ACCOUNT_UNKNOWN",
      });
      changesOf(await send("open", { accountId }));
      expect(await send("credit", { accountId, amount: 5 }, id)).toMatchObject({
        outcome: "done",
        changes: [{ version: 2 }],
      });
    });
  });

  describe(`${name}: an id that belongs to another request`, () => {
    const reused = (id: string) => ({ outcome: "rejected", id, code: "REQUEST_ID_REUSED" });

    test("is refused with another input, whether that would be done or refused, and nothing is written", async () => {
      const [accountId, other, id] = [await opened(), uuid(), uuid()];
      changesOf(await send("credit", { accountId, amount: 5 }, id));
      expect(await send("credit", { accountId, amount: 6 }, id)).toMatchObject(reused(id));
      expect(await send("credit", { accountId: other, amount: 5 }, id)).toMatchObject(reused(id));
      expect(await find(accountId)).toMatchObject({ balance: 5, version: 2 });
    });

    test("is refused with another command, and nothing is written", async () => {
      const [accountId, id] = [uuid(), uuid()];
      changesOf(await send("open", { accountId }, id));
      expect(await send("close", { accountId }, id)).toMatchObject(reused(id));
      expect(await events(accountId)).toBe(1);
    });

    test("does not include an input whose fields are in another order", async () => {
      const [from, to, id] = [await opened(), await opened(), uuid()];
      const first = await send("transfer", { from, to, amount: 0 }, id);
      expect(await send("transfer", { amount: 0, to, from }, id)).toEqual({ ...first, repeated: true });
    });
  });

  describe(`${name}: of ${REQUESTS_AT_ONCE} requests with the same id at once, one takes effect and all are answered the same`, () => {
    const atOnce = async (name: string, input: object) => {
      const id = uuid();
      const answers = await Promise.all(
        Array.from({ length: REQUESTS_AT_ONCE }, () => send(name, input, id)),
      );
      const first = changesOf(answers[0]!);
      for (const answer of answers) expect(changesOf(answer)).toEqual(first);
      expect(answers.filter((answer) => !("repeated" in answer))).toHaveLength(1);
      return first;
    };

    test("if they create", async () => {
      const accountId = uuid();
      expect(await atOnce("open", { accountId })).toMatchObject([{ id: accountId, version: 1 }]);
      expect(await events(accountId)).toBe(1);
    });

    test("if they change what is there", async () => {
      const accountId = await opened();
      expect(await atOnce("credit", { accountId, amount: 5 })).toMatchObject([{ version: 2 }]);
      expect(await find(accountId)).toMatchObject({ balance: 5, version: 2 });
    });

    test("if they make several changes", async () => {
      const [from, to] = [await opened(), await opened()];
      expect(await atOnce("transfer", { from, to, amount: 0 })).toHaveLength(2);
      expect(await events(from)).toBe(2);
      expect(await events(to)).toBe(2);
    });

    test("if they delete", async () => {
      const accountId = await opened();
      expect(await atOnce("close", { accountId })).toMatchObject([{ version: 2 }]);
      expect(await find(accountId)).toBeUndefined();
    });

    test("if there is nothing to change", async () => {
      expect(await atOnce("credit", { accountId: await opened(), amount: 0 })).toEqual([]);
    });
  });
}

const uses = { accounts };
const input = () => z.object({ accountId: z.uuid(), amount: z.int().optional() });
const COMMANDS = {
  open: command({
    uses,
    input,
    handle: async ({ accountId }, { accounts }) =>
      accounts.create(newAccount(accountId)).raise("AccountOpened"),
  }),
  credit: command({
    uses,
    input,
    handle: async ({ accountId, amount = 0 }, { accounts }) => {
      const account = await accounts.get(accountId);
      if (amount === 0) return [];
      return accounts.update(account, { balance: account.balance + amount }).raise("AccountRenamed");
    },
  }),
  transfer: command({
    uses,
    input: () => z.object({ from: z.uuid(), to: z.uuid(), amount: z.int() }),
    handle: async ({ from, to, amount }, { accounts }) => {
      const [source, target] = [await accounts.get(from), await accounts.get(to)];
      if (source.balance < amount) return reject("NO_FUNDS", "The account is empty.");
      return [
        accounts.update(source, { balance: source.balance - amount }).raise("AccountRenamed"),
        accounts.update(target, { balance: target.balance + amount }).raise("AccountRenamed"),
      ];
    },
  }),
  close: command({
    uses,
    input,
    handle: async ({ accountId }, { accounts }) =>
      accounts.remove(await accounts.get(accountId)).raise("AccountClosed", { reason: "moved" }),
  }),
};
