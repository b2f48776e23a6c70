import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import type { CommitContext, StagedChange } from "../../../runtime/store/store";
import { ddbAccounts } from "../../support/account";
import { type BankDatabase, bankDatabase } from "../../support/bank-database";

let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
});
beforeEach(() => {
  bank.statements.length = 0;
});

const commit = (changes: StagedChange[], context: Partial<CommitContext> = {}) =>
  commitToPostgres(bank.db, changes, { correlationId: "request-1", ...context });
const once = (messageId: string) => ({ once: { consumer: "bank.commands", messageId } });

const opening = (accountId: string) =>
  bank.accounts.change("AccountOpened", {}, (change) =>
    change.insert({ account_id: accountId, owner: `owner of ${accountId}`, balance: 0, grade: "gold" }),
  );
const crediting = (accountId: string, version: number, balance: number) =>
  bank.accounts.change("AccountCredited", { amount: 1 }, (change) =>
    change.update({ balance }).where("account_id", "=", accountId).where("version", "=", version),
  );
async function opened(): Promise<string> {
  const accountId = uuid();
  expect(await commit([opening(accountId)])).toMatchObject({ outcome: "committed" });
  bank.statements.length = 0;
  return accountId;
}

const IN_TRANSACTION = (statements: number) => [
  "begin",
  ...Array<unknown>(statements).fill(expect.stringMatching(/^with changed as/)),
  "commit",
];

describe("several changes", () => {
  test("are one transaction, in which each event rides with its change", async () => {
    const [first, second] = [await opened(), uuid()];
    const outcome = await commit([crediting(first, 1, 5), opening(second)]);
    expect(bank.statements).toEqual(IN_TRANSACTION(2));
    expect(outcome).toMatchObject({
      outcome: "committed",
      changes: [
        { id: first, version: 2, event: "AccountCredited" },
        { id: second, version: 1, event: "AccountOpened" },
      ],
    });
    expect(await bank.events(first)).toHaveLength(2);
    expect(await bank.events(second)).toHaveLength(1);
  });

  test("are all left undone when one of them loses a race", async () => {
    const [first, second] = [await opened(), await opened()];
    const outcome = await commit([crediting(first, 1, 5), crediting(second, 99, 5)]);
    expect(outcome).toMatchObject({ outcome: "conflict", aggregate: "bank.Account" });
    expect(bank.statements.at(-1)).toBe("rollback");
    expect(await bank.account(first)).toMatchObject({ balance: 0, version: 1 });
    expect(await bank.events(first)).toHaveLength(1);
  });

  test("are all left undone when one of them does not fit its contract", async () => {
    const first = await opened();
    const wrong = bank.accounts.change("AccountCredited", { amount: 0 }, (change) =>
      change.update({ balance: 0 }).where("account_id", "=", first),
    );
    await expect(commit([crediting(first, 1, 5), wrong])).rejects.toMatchObject({ code: "INVALID_CHANGE" });
    expect(await bank.account(first)).toMatchObject({ balance: 0, version: 1 });
  });

  test("of one aggregate are versions of their own", async () => {
    const accountId = await opened();
    await commit([crediting(accountId, 1, 5), crediting(accountId, 2, 6)]);
    const events = await bank.events(accountId);
    expect(events.map(({ payload }) => payload.state?.["balance"])).toEqual([0, 5, 6]);
    expect(await bank.account(accountId)).toMatchObject({ version: 3 });
  });
});

describe("a change whose new state only the database can tell", () => {
  test("sets a value by an expression, and the event has the outcome", async () => {
    const accountId = await opened();
    for (const balance of [10, 20]) {
      await commit([
        bank.accounts.change("AccountCredited", { amount: 10 }, (change) =>
          change.update({ balance: sql`balance + 10` }).where("account_id", "=", accountId),
        ),
      ]);
      expect((await bank.events(accountId)).at(-1)!.payload.state).toMatchObject({ balance });
    }
    expect(bank.statements).toEqual([...IN_TRANSACTION(1), ...IN_TRANSACTION(1)]);
  });

  test("sets a value by a further set of the builder, and the event has the outcome", async () => {
    const accountId = await opened();
    await commit([
      bank.accounts.change("AccountRenamed", {}, (change) =>
        change.update({ grade: "silver" }).set({ balance: 3 }).where("account_id", "=", accountId),
      ),
    ]);
    expect((await bank.events(accountId))[1]!.payload.state).toMatchObject({ grade: "silver", balance: 3 });
    expect(bank.statements).toEqual(IN_TRANSACTION(1));
  });

  test("leaves public columns to their defaults, and the event has what the database set", async () => {
    const accountId = uuid();
    await commit([
      bank.accounts.change("AccountOpened", {}, (change) =>
        // As a command in plain JavaScript could: the types ask for every public column.
        change.insert({ account_id: accountId, owner: accountId } as never),
      ),
    ]);
    expect((await bank.events(accountId))[0]!.payload.state).toEqual({
      accountId,
      owner: accountId,
      balance: 0,
      grade: "standard",
    });
  });

  test.each([
    ["an expression", (change: Builders) => change.update({ balance: sql`balance - 1` })],
    ["a further set", (change: Builders) => change.update({ grade: "silver" }).set({ balance: -1 })],
    ["a set of another key", (change: Builders) => change.update({ grade: "silver" }).set("owner", "")],
  ])("is refused and leaves nothing behind when %s leads to an invalid state", async (_, describe) => {
    const accountId = await opened();
    const staged = bank.accounts.change("AccountRenamed", {}, (change) =>
      describe(change).where("account_id", "=", accountId),
    );
    await expect(commit([staged], once(accountId))).rejects.toMatchObject({ code: "INVALID_STATE" });
    expect(await bank.account(accountId)).toMatchObject({ balance: 0, version: 1 });
    expect(await bank.events(accountId)).toHaveLength(1);
    expect(await bank.processed(accountId)).toBe(false);
  });

  test("is a conflict when it does not find its row", async () => {
    const missing = uuid();
    const outcome = await commit([
      bank.accounts.change("AccountCredited", { amount: 1 }, (change) =>
        change.update({ balance: sql`balance + 1` }).where("account_id", "=", missing),
      ),
    ]);
    expect(outcome).toMatchObject({ outcome: "conflict" });
    expect(await bank.events(missing)).toEqual([]);
  });

  type Builders = Parameters<Parameters<typeof bank.accounts.change>[2]>[0];
});

describe("refused before anything is sent is", () => {
  const refused = async (staged: StagedChange[], code: string) => {
    await expect(commit(staged)).rejects.toMatchObject({ code });
    expect(bank.statements).toEqual([]);
  };

  test("a change that does not fit its contract", async () => {
    const staged = bank.accounts.change("AccountCredited", { amount: 0 }, (change) => change.delete());
    await refused([staged], "INVALID_CHANGE");
  });

  test("a known state that does not fit its contract", async () => {
    await refused([crediting(uuid(), 1, -1)], "INVALID_STATE");
  });

  test("a change for DynamoDB", async () => {
    const stray: StagedChange = {
      kind: "dynamo-change",
      operation: "create",
      table: "accounts",
      definition: ddbAccounts,
      type: "AccountOpened",
      change: {},
      item: {},
      version: 0,
    };
    await refused([stray], "WRONG_STORE");
    await refused([opening(uuid()), stray], "WRONG_STORE");
  });
});

describe("an aggregate that is created again after its deletion", () => {
  const closing = (accountId: string) =>
    bank.accounts.change("AccountClosed", { reason: "moved" }, (change) =>
      change.delete().where("account_id", "=", accountId),
    );
  const versions = async (accountId: string) =>
    (await bank.events(accountId)).map(({ aggregate_version, type }) => `${aggregate_version} ${type}`);

  test("goes on with its versions, life after life, after a look at where they ended", async () => {
    const accountId = await opened();
    await commit([crediting(accountId, 1, 5)]);
    await commit([closing(accountId)]);
    bank.statements.length = 0;
    expect(await commit([opening(accountId)])).toMatchObject({ changes: [{ version: 4 }] });
    // The first try, the look, and the try on top of the last version.
    expect(bank.statements).toHaveLength(3);
    await commit([closing(accountId)]);
    expect(await commit([opening(accountId)])).toMatchObject({ changes: [{ version: 6 }] });
    expect(await versions(accountId)).toEqual([
      "1 AccountOpened",
      "2 AccountCredited",
      "3 AccountClosed",
      "4 AccountOpened",
      "5 AccountClosed",
      "6 AccountOpened",
    ]);
    expect(await bank.account(accountId)).toMatchObject({ version: 6 });
  });

  test("goes on with them also after its outbox rows are gone", async () => {
    const accountId = await opened();
    await commit([closing(accountId)]);
    await bank.forgetEvents(accountId);
    expect(await commit([opening(accountId)])).toMatchObject({ changes: [{ version: 3 }] });
  });

  test("in the very commit that deletes it is a conflict: a life begins after the last one was committed", async () => {
    const accountId = await opened();
    expect(await commit([closing(accountId), opening(accountId)])).toMatchObject({ outcome: "conflict" });
    expect(await bank.account(accountId)).toMatchObject({ version: 1 });
    expect(await bank.events(accountId)).toHaveLength(1);
  });

  test("goes on with them when its key is spelled as the database would not", async () => {
    const accountId = await opened();
    await commit([closing(accountId)]);
    const outcome = await commit([opening(accountId.toUpperCase())]);
    expect(outcome).toMatchObject({ outcome: "committed", changes: [{ id: accountId, version: 3 }] });
  });
});
