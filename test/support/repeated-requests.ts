/** What holds of requests with an id in either database; a test file runs it on the one that it has. */
import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type AnyCommand, command, reject } from "../../runtime/define/command";
import { answerCommand, type CommandAnswer } from "../../runtime/command/answer";
import type { AnyTable } from "../../runtime/define/table";
import type { CommittedChange, StagedChange, Store } from "../../runtime/store/store";

/** An account as a handle finds it. */
interface FoundAccount {
  accountId: string;
  balance: number;
  version: number;
}

/** What a test file has of its database. */
export interface RequestBank {
  /** What `uses` of its commands says. */
  table: AnyTable;
  store(): Store;
  find(accountId: string): Promise<FoundAccount | undefined>;
  open(accountId: string): StagedChange;
  credit(account: FoundAccount, amount: number): StagedChange;
  close(account: FoundAccount): StagedChange;
  /** How many events the account has. */
  events(accountId: string): Promise<number>;
}

/** Sends a request to the commands `open`, `credit`, `transfer` and `close` of the accounts. */
export type SendRequest = (name: string, input: object, id?: string) => Promise<CommandAnswer>;

const REQUESTS_AT_ONCE = 20;

/** Sends requests to the bank's commands, by way of this store. */
export function sender(bank: RequestBank, store = bank.store): SendRequest {
  const commands = commandsOf(bank);
  return (name, input, id) =>
    answerCommand("bank", commands, store(), { command: name, input, ...(id === undefined ? {} : { id }) });
}

/** The changes of a request that is done. */
export function changesOf(answer: CommandAnswer): CommittedChange[] {
  expect(answer).toMatchObject({ outcome: "done" });
  return (answer as CommandAnswer & { outcome: "done" }).changes;
}

/** Registers the tests. */
export function describeRepeatedRequests(bank: RequestBank): void {
  const send = sender(bank);
  const opened = async () => {
    const accountId = uuid();
    changesOf(await send("open", { accountId }));
    return accountId;
  };

  describe("a request that is repeated", () => {
    test("is answered what the first one was, although what it asks for would be refused now", async () => {
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
      expect(await bank.events(accountId)).toBe(1);
    });

    test("is answered so after further changes, and after what it changed is gone", async () => {
      const [accountId, id] = [await opened(), uuid()];
      const first = await send("credit", { accountId, amount: 5 }, id);
      changesOf(await send("credit", { accountId, amount: 1 }));
      expect(await send("credit", { accountId, amount: 5 }, id)).toEqual({ ...first, repeated: true });
      expect(await bank.find(accountId)).toMatchObject({ balance: 6, version: 3 });
      changesOf(await send("close", { accountId }));
      expect(await send("credit", { accountId, amount: 5 }, id)).toEqual({ ...first, repeated: true });
      expect(await bank.events(accountId)).toBe(4);
    });

    test("is answered all the changes of the first one", async () => {
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

    test("is answered that nothing was changed if nothing was, although there is something to change now", async () => {
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
      expect(await bank.events(accountId)).toBe(1);
    });

    test("is tried anew if it was rejected before, since nothing is kept of that", async () => {
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

  describe("an id that belongs to another request", () => {
    const reused = (id: string) => ({ outcome: "rejected", id, code: "REQUEST_ID_REUSED" });

    test("is refused with another input, whether that would be done or refused, and nothing is written", async () => {
      const [accountId, other, id] = [await opened(), uuid(), uuid()];
      changesOf(await send("credit", { accountId, amount: 5 }, id));
      expect(await send("credit", { accountId, amount: 6 }, id)).toMatchObject(reused(id));
      expect(await send("credit", { accountId: other, amount: 5 }, id)).toMatchObject(reused(id));
      expect(await bank.find(accountId)).toMatchObject({ balance: 5, version: 2 });
    });

    test("is refused with another command, and nothing is written", async () => {
      const [accountId, id] = [uuid(), uuid()];
      changesOf(await send("open", { accountId }, id));
      expect(await send("close", { accountId }, id)).toMatchObject(reused(id));
      expect(await bank.events(accountId)).toBe(1);
    });

    test("is not what an input is whose fields come in another order", async () => {
      const [from, to, id] = [await opened(), await opened(), uuid()];
      const first = await send("transfer", { from, to, amount: 0 }, id);
      expect(await send("transfer", { amount: 0, to, from }, id)).toEqual({ ...first, repeated: true });
    });
  });

  describe(`of ${REQUESTS_AT_ONCE} requests with the same id at once, one takes effect and all are answered the same`, () => {
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
      expect(await bank.events(accountId)).toBe(1);
    });

    test("if they change what is there", async () => {
      const accountId = await opened();
      expect(await atOnce("credit", { accountId, amount: 5 })).toMatchObject([{ version: 2 }]);
      expect(await bank.find(accountId)).toMatchObject({ balance: 5, version: 2 });
    });

    test("if they make several changes", async () => {
      const [from, to] = [await opened(), await opened()];
      expect(await atOnce("transfer", { from, to, amount: 0 })).toHaveLength(2);
      expect(await bank.events(from)).toBe(2);
      expect(await bank.events(to)).toBe(2);
    });

    test("if they delete", async () => {
      const accountId = await opened();
      expect(await atOnce("close", { accountId })).toMatchObject([{ version: 2 }]);
      expect(await bank.find(accountId)).toBeUndefined();
    });

    test("if there is nothing to change", async () => {
      expect(await atOnce("credit", { accountId: await opened(), amount: 0 })).toEqual([]);
    });
  });
}

function commandsOf({ table, find, open, credit, close }: RequestBank): Record<string, AnyCommand> {
  const uses = { accounts: table } as AnyCommand["uses"];
  const unknown = (accountId: string) => reject("ACCOUNT_UNKNOWN", `There is no account "${accountId}".`);
  const input = () => z.object({ accountId: z.uuid(), amount: z.int().optional() });
  return {
    open: command({
      uses,
      input,
      handle: async ({ accountId }) =>
        (await find(accountId)) ? reject("ACCOUNT_EXISTS", "It is there.") : open(accountId),
    }),
    credit: command({
      uses,
      input,
      handle: async ({ accountId, amount = 0 }) => {
        const account = await find(accountId);
        if (!account) return unknown(accountId);
        return amount === 0 ? [] : credit(account, amount);
      },
    }),
    transfer: command({
      uses,
      input: () => z.object({ from: z.uuid(), to: z.uuid(), amount: z.int() }),
      handle: async ({ from, to, amount }) => {
        const [source, target] = [await find(from), await find(to)];
        if (!source || !target) return unknown(source ? to : from);
        if (source.balance < amount) return reject("NO_FUNDS", "The account is empty.");
        return [credit(source, -amount), credit(target, amount)];
      },
    }),
    close: command({
      uses,
      input,
      handle: async ({ accountId }) => {
        const account = await find(accountId);
        return account ? close(account) : unknown(accountId);
      },
    }),
  };
}
