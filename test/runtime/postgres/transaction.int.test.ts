import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { StagedChange } from "../../../runtime";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import type { CommitContext } from "../../../runtime/store/store";
import { accountAt, accountChanges } from "../../support/domain/account";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";

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

const { opening, ...changes } = accountChanges(() => bank.accounts);
const crediting = (accountId: string, version: number, balance: number) =>
  changes.crediting(accountAt(accountId, version), balance);
/** In Kysely's own builders. */
const changing = (describe: (table: Builders) => ReturnType<Builders["update"]>, accountId: string) =>
  bank.accounts.change((table) => describe(table).where("accountId", "=", accountId));
type Builders = Parameters<Parameters<typeof bank.accounts.change>[0]>[0];
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
    const [first, second] = [await opened(), await opened()];
    const wrong = bank.accounts
      .update(accountAt(second, 1), { balance: 0 })
      .raise("AccountCredited", { amount: 0 });
    await expect(commit([crediting(first, 1, 5), wrong])).rejects.toMatchObject({ code: "INVALID_CHANGE" });
    expect(bank.statements.at(-1)).toBe("rollback");
    expect(await bank.account(first)).toMatchObject({ balance: 0, version: 1 });
  });

  test("of one aggregate in Kysely's builders are one version each", async () => {
    const accountId = await opened();
    const setting = (balance: number) => changing((table) => table.update({ balance }), accountId);
    await commit([5, 6].map((balance) => setting(balance).raise("AccountCredited", { amount: 1 })));
    const events = await bank.events(accountId);
    expect(events.map(({ payload }) => payload.state?.["balance"])).toEqual([0, 5, 6]);
    expect(await bank.account(accountId)).toMatchObject({ version: 3 });
  });
});

describe("a change whose new state only the database can tell", () => {
  test("sets a value by an expression, and the event has the outcome", async () => {
    const accountId = await opened();
    for (const balance of [10, 20]) {
      const counting = changing((table) => table.update({ balance: sql`balance + 10` }), accountId);
      await commit([counting.raise("AccountCredited", { amount: 10 })]);
      expect((await bank.events(accountId)).at(-1)!.payload.state).toMatchObject({ balance });
    }
    expect(bank.statements).toEqual([...IN_TRANSACTION(1), ...IN_TRANSACTION(1)]);
  });

  test("sets a value by a further set of the builder, and the event has the outcome", async () => {
    const accountId = await opened();
    const setting = changing((table) => table.update({ grade: "silver" }).set({ balance: 3 }), accountId);
    await commit([setting.raise("AccountRenamed")]);
    expect((await bank.events(accountId))[1]!.payload.state).toMatchObject({ grade: "silver", balance: 3 });
    expect(bank.statements).toEqual(IN_TRANSACTION(1));
  });

  test("leaves public fields to their columns' defaults, and the event has what the database set", async () => {
    const accountId = uuid();
    // As a command in plain JavaScript could: the types ask for every public field.
    const fields = { accountId, owner: accountId } as never;
    await commit([bank.accounts.create(fields).raise("AccountOpened")]);
    expect((await bank.events(accountId))[0]!.payload.state).toEqual({
      accountId,
      owner: accountId,
      balance: 0,
      grade: "standard",
    });
  });

  test.each([
    ["an expression", (table: Builders) => table.update({ balance: sql`balance - 1` })],
    ["a further set", (table: Builders) => table.update({ grade: "silver" }).set({ balance: -1 })],
    ["a set of another field", (table: Builders) => table.update({ grade: "silver" }).set("owner", "")],
  ])("is refused and leaves nothing behind when %s leads to an invalid state", async (_, describe) => {
    const accountId = await opened();
    const staged = changing(describe, accountId).raise("AccountRenamed");
    await expect(commit([staged], once(accountId))).rejects.toMatchObject({ code: "INVALID_STATE" });
    expect(await bank.account(accountId)).toMatchObject({ balance: 0, version: 1 });
    expect(await bank.events(accountId)).toHaveLength(1);
    expect(await bank.processed(accountId)).toBe(false);
  });

  test("is a conflict when it does not find its row", async () => {
    const missing = uuid();
    const counting = changing((table) => table.update({ balance: sql`balance + 1` }), missing);
    const outcome = await commit([counting.raise("AccountCredited", { amount: 1 })]);
    expect(outcome).toMatchObject({ outcome: "conflict" });
    expect(await bank.events(missing)).toEqual([]);
  });
});

describe("refused before anything is sent is", () => {
  const refused = async (staged: StagedChange[], code: string) => {
    await expect(commit(staged)).rejects.toMatchObject({ code });
    expect(bank.statements).toEqual([]);
  };

  test("a change that does not fit its contract", async () => {
    for (const unraised of [
      bank.accounts.remove(accountAt(uuid(), 1)),
      bank.accounts.change((table) => table.delete()),
    ])
      await refused([unraised.raise("AccountCredited", { amount: 0 })], "INVALID_CHANGE");
  });

  test("a known state that does not fit its contract", async () => {
    await refused([crediting(uuid(), 1, -1)], "INVALID_STATE");
  });
});

describe("an aggregate that is created again after its deletion", () => {
  const closing = (accountId: string) =>
    bank.accounts
      .change((table) => table.delete().where("accountId", "=", accountId))
      .raise("AccountClosed", { reason: "moved" });
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
