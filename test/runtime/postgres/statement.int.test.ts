import { v7 as uuid } from "uuid";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { StagedChange } from "../../../runtime";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import { accountAt, accountChanges, newAccount } from "../../support/domain/account";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";

let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
});
beforeEach(() => {
  bank.statements.length = 0;
});

const CONTEXT = {
  correlationId: "request-1",
  causationId: "command-1",
  traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
};
const commit = (...changes: StagedChange[]) => commitToPostgres(bank.db, changes, CONTEXT);

const { opening, crediting, closing } = accountChanges(() => bank.accounts);
/** An account that is there, at version 1. */
async function opened(more: Parameters<typeof opening>[1] = {}): Promise<string> {
  const accountId = uuid();
  expect(await commit(opening(accountId, more))).toMatchObject({ outcome: "committed" });
  bank.statements.length = 0;
  return accountId;
}

describe("one change whose new state is known", () => {
  test("is one statement: one round trip without BEGIN and COMMIT, be it an insert, an update or a deletion", async () => {
    const accountId = uuid();
    await commit(opening(accountId));
    expect(bank.statements).toEqual([expect.stringMatching(/^with changed as \(insert into "accounts"/)]);
    await commit(crediting(accountAt(accountId, 1), 5));
    await commit(closing(accountAt(accountId, 2)));
    expect(bank.statements).toHaveLength(3);
    expect((await bank.events(accountId)).map(({ aggregate_version }) => aggregate_version)).toEqual([
      1, 2, 3,
    ]);
  });

  test("inserts the row at version 1 and its event with all that the envelope needs", async () => {
    const accountId = uuid();
    const outcome = await commit(opening(accountId, { balance: 7 }));
    expect(await bank.account(accountId)).toMatchObject({ balance: 7, version: 1 });
    const [event, ...more] = await bank.events(accountId);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      aggregate: "bank.Account",
      aggregate_id: accountId,
      aggregate_version: 1,
      type: "AccountOpened",
      schema_version: 1,
      payload: {
        change: {},
        state: newAccount(accountId, { balance: 7 }),
      },
      correlation_id: "request-1",
      causation_id: "command-1",
      traceparent: CONTEXT.traceparent,
    });
    expect(outcome).toEqual({
      outcome: "committed",
      changes: [
        { aggregate: "bank.Account", id: accountId, version: 1, event: "AccountOpened", eventId: event!.id },
      ],
    });
  });

  test("updates the row and raises the event of the whole state that the database has then", async () => {
    const accountId = await opened({ balance: 7 });
    const outcome = await commit(crediting(accountAt(accountId, 1), 12));
    expect(outcome).toMatchObject({ outcome: "committed", changes: [{ version: 2 }] });
    expect(await bank.account(accountId)).toMatchObject({ balance: 12, version: 2 });
    expect((await bank.events(accountId))[1]).toMatchObject({
      type: "AccountCredited",
      schema_version: 2,
      payload: {
        change: { amount: 1 },
        state: newAccount(accountId, { balance: 12 }),
      },
    });
  });

  test("deletes the row and raises an event of the next version with a null state", async () => {
    const accountId = await opened();
    const outcome = await commit(closing(accountAt(accountId, 1)));
    expect(outcome).toMatchObject({ outcome: "committed", changes: [{ version: 2 }] });
    expect(await bank.account(accountId)).toBeUndefined();
    expect((await bank.events(accountId))[1]).toMatchObject({
      aggregate_version: 2,
      payload: { change: { reason: "moved" }, state: null },
    });
  });

  test("never publishes a private field", async () => {
    const accountId = await opened({ note: "private note" });
    await commit(
      bank.accounts
        .update(accountAt(accountId, 1), { grade: "silver", note: "another private note" })
        .raise("AccountRenamed", { memo: "x" }),
    );
    expect(await bank.account(accountId)).toMatchObject({ note: "another private note" });
    const events = await bank.events(accountId);
    expect(events).toHaveLength(2);
    expect(JSON.stringify(events)).not.toContain("private");
  });

  test("that sets private fields only is an event of the unchanged public state", async () => {
    const accountId = await opened();
    await commit(bank.accounts.update(accountAt(accountId, 1), { note: "private" }).raise("AccountRenamed"));
    expect(bank.statements).toHaveLength(1);
    const [first, second] = await bank.events(accountId);
    expect(second!.payload.state).toEqual(first!.payload.state);
  });

  test("leaves a field of the change out that is undefined", async () => {
    const accountId = await opened();
    await commit(
      bank.accounts
        .update(accountAt(accountId, 1), { grade: "silver" })
        .raise("AccountRenamed", { memo: undefined }),
    );
    expect((await bank.events(accountId))[1]!.payload.change).toEqual({});
  });

  test("keeps texts with quotes, backslashes and any script as they are", async () => {
    const owner = `O'Brien "\\u0041" \\ \n ünïcødé 漢字 😀 $1 ${uuid()}`;
    const accountId = await opened({ owner });
    expect((await bank.events(accountId))[0]!.payload.state).toMatchObject({ owner });
  });

  test("is a conflict and writes nothing when the row has another version than the one that was read", async () => {
    const accountId = await opened();
    const outcome = await commit(crediting(accountAt(accountId, 99), 5));
    expect(outcome).toEqual({
      outcome: "conflict",
      aggregate: "bank.Account",
      message:
        "The bank.Account was changed by another request since it was read. Nothing was written. Read it again.",
    });
    expect(await bank.account(accountId)).toMatchObject({ balance: 0, version: 1 });
    expect(await bank.events(accountId)).toHaveLength(1);
  });

  test("is a conflict and writes nothing when the row to insert is there already", async () => {
    const accountId = await opened();
    expect(await commit(opening(accountId, { owner: uuid() }))).toMatchObject({
      outcome: "conflict",
      aggregate: "bank.Account",
      message: expect.stringContaining("accounts_pkey") as string,
    });
    expect(await bank.events(accountId)).toHaveLength(1);
  });
});

describe("no change", () => {
  test("is committed without changes", async () => {
    expect(await commit()).toEqual({ outcome: "committed", changes: [] });
  });
});

describe("the handle of a table", () => {
  test("reads a row in one statement, by its key or by an index", async () => {
    const owner = uuid();
    const accountId = await opened({ owner, balance: 7, note: "private" });
    const row = { ...newAccount(accountId, { owner, balance: 7 }), note: "private", version: 1 };
    expect(await bank.accounts.find(accountId)).toEqual(row);
    expect(await bank.accounts.where("owner", owner)).toEqual([row]);
    expect(bank.statements).toHaveLength(2);
  });

  test("refuses an index that the table does not declare, and sends nothing", async () => {
    await expect(bank.accounts.where("grade" as "owner", "gold")).rejects.toMatchObject({
      code: "INDEX_UNKNOWN",
      message:
        'The table "accounts" has no index "grade"; its indexes are: owner. Name it under `indexes` where it is declared.',
    });
    expect(bank.statements).toEqual([]);
  });
});
