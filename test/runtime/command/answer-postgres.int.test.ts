import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import { readCommittedRequest } from "../../../runtime/postgres/inbox";
import type { Store } from "../../../runtime/store/store";
import { pgAccounts } from "../../support/account";
import { type BankDatabase, bankDatabase } from "../../support/bank-database";
import { describeRepeatedRequests, type RequestBank, sender } from "../../support/repeated-requests";

let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
});

const store = (): Store => ({
  handles: () => ({}),
  commit: (changes, context) => commitToPostgres(bank.db, changes, context),
  committedRequest: (once) => readCommittedRequest(bank.db, once),
});
const requests: RequestBank = {
  table: pgAccounts,
  store,
  async find(accountId) {
    const row = await bank.accounts.find(accountId);
    return row && { accountId, balance: row.balance, version: row.version };
  },
  open: (accountId) =>
    bank.accounts.change("AccountOpened", {}, (change) =>
      change.insert({ account_id: accountId, owner: `owner of ${accountId}`, balance: 0, grade: "gold" }),
    ),
  credit: ({ accountId, balance, version }, amount) =>
    bank.accounts.change("AccountRenamed", {}, (change) =>
      change
        .update({ balance: balance + amount })
        .where("account_id", "=", accountId)
        .where("version", "=", version),
    ),
  close: ({ accountId, version }) =>
    bank.accounts.change("AccountClosed", { reason: "moved" }, (change) =>
      change.delete().where("account_id", "=", accountId).where("version", "=", version),
    ),
  events: async (accountId) => (await bank.events(accountId)).length,
};
const send = sender(requests);

describeRepeatedRequests(requests);

describe("a request with an id", () => {
  test("takes as many round trips as one without, as long as it is the first", async () => {
    const statements = async (name: string, input: object, id?: string) => {
      bank.statements.length = 0;
      expect(await send(name, input, id)).toMatchObject({ outcome: "done" });
      return bank.statements.length;
    };
    const [first, second] = [uuid(), uuid()];
    expect(await statements("open", { accountId: first }, uuid())).toBe(2);
    expect(await statements("open", { accountId: second })).toBe(2);
    expect(await statements("credit", { accountId: first, amount: 5 }, uuid())).toBe(2);
  });

  test("is answered also after its events were trimmed", async () => {
    const [accountId, id] = [uuid(), uuid()];
    const first = await send("open", { accountId }, id);
    await bank.forgetEvents(accountId);
    expect(await send("open", { accountId }, id)).toEqual({ ...first, repeated: true });
  });
});
