import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { StagedChange } from "../../../runtime";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import { readCommittedRequest } from "../../../runtime/postgres/inbox";
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
const request = (messageId: string) => ({ once: { consumer: "bank.commands", messageId, fingerprint: "f" } });

const { opening, ...changes } = accountChanges(() => bank.accounts);
const crediting = (accountId: string, version: number, balance: number) =>
  changes.crediting(accountAt(accountId, version), balance);
async function opened(): Promise<string> {
  const accountId = uuid();
  expect(await commit([opening(accountId)])).toMatchObject({ outcome: "committed" });
  bank.statements.length = 0;
  return accountId;
}

describe("what runs once", () => {
  test("with one change rides in its statement: still one round trip", async () => {
    const [accountId, messageId] = [uuid(), uuid()];
    await commit([opening(accountId)], once(messageId));
    expect(bank.statements).toHaveLength(1);
    expect(await bank.processed(messageId)).toBe(true);
  });

  test("is a duplicate the second time, and changes nothing", async () => {
    const [accountId, messageId] = [await opened(), uuid()];
    // Whatever the version is: a second time it would count again.
    const counting = () =>
      bank.accounts
        .change((table) =>
          table.update({ balance: sql`balance + 5`, note: uuid() }).where("accountId", "=", accountId),
        )
        .raise("AccountCredited", { amount: 5 });
    expect(await commit([counting()], once(messageId))).toMatchObject({ outcome: "committed" });
    const before = await bank.account(accountId);
    expect(await commit([counting()], once(messageId))).toEqual({ outcome: "duplicate" });
    expect(await commit([counting(), opening(uuid())], once(messageId))).toEqual({ outcome: "duplicate" });
    expect(await bank.account(accountId)).toEqual(before);
    expect(await bank.events(accountId)).toHaveLength(2);
  });

  test("is recorded for each consumer separately", async () => {
    const [accountId, messageId] = [await opened(), uuid()];
    await commit([crediting(accountId, 1, 5)], { once: { consumer: "a", messageId } });
    const outcome = await commit([crediting(accountId, 2, 6)], { once: { consumer: "b", messageId } });
    expect(outcome).toMatchObject({ outcome: "committed" });
  });

  test("is not marked when its change lost a race, so that it can be tried again", async () => {
    const [accountId, messageId] = [await opened(), uuid()];
    expect(await commit([crediting(accountId, 99, 5)], once(messageId))).toMatchObject({
      outcome: "conflict",
    });
    expect(await bank.processed(messageId)).toBe(false);
    expect(await commit([crediting(accountId, 1, 5)], once(messageId))).toMatchObject({
      outcome: "committed",
    });
    expect(await bank.processed(messageId)).toBe(true);
  });

  test("is not marked when one of several changes lost a race", async () => {
    const [accountId, messageId] = [await opened(), uuid()];
    const outcome = await commit([opening(uuid()), crediting(accountId, 99, 5)], once(messageId));
    expect(outcome).toMatchObject({ outcome: "conflict" });
    expect(await bank.processed(messageId)).toBe(false);
  });

  test("is marked as processed also when there is nothing to change, and is a duplicate then", async () => {
    const messageId = uuid();
    expect(await commit([], once(messageId))).toEqual({ outcome: "committed", changes: [] });
    expect(await commit([], once(messageId))).toEqual({ outcome: "duplicate" });
  });
});

describe("an event that is processed again", () => {
  test.each([
    ["creates what it has created", (accountId: string) => [opening(accountId)]],
    ["changes the version that it has changed", (_: string, changed: string) => [crediting(changed, 1, 5)]],
    ["does both", (accountId: string, changed: string) => [opening(accountId), crediting(changed, 1, 5)]],
  ])("is a duplicate, and not a conflict, although it %s", async (_, stage) => {
    const [accountId, changed, messageId] = [uuid(), await opened(), uuid()];
    expect(await commit(stage(accountId, changed), once(messageId))).toMatchObject({ outcome: "committed" });
    expect(await commit(stage(accountId, changed), once(messageId))).toEqual({ outcome: "duplicate" });
  });
});

describe("a request", () => {
  const read = (messageId: string) => readCommittedRequest(bank.db, { consumer: "bank.commands", messageId });

  test("with one change leaves its changes and its fingerprint in the inbox, in the same round trip", async () => {
    const [accountId, messageId] = [await opened(), uuid()];
    const outcome = await commit([crediting(accountId, 1, 5)], request(messageId));
    expect(bank.statements).toHaveLength(1);
    expect(outcome).toMatchObject({ outcome: "committed", changes: [{ id: accountId, version: 2 }] });
    expect(await read(messageId)).toEqual({
      fingerprint: "f",
      changes: (outcome as { changes: unknown }).changes,
    });
  });

  test("with several changes leaves all of them, in their order", async () => {
    const [first, second, messageId] = [await opened(), uuid(), uuid()];
    const outcome = await commit([crediting(first, 1, 5), opening(second)], request(messageId));
    expect(outcome).toMatchObject({ changes: [{ id: first }, { id: second }] });
    expect(await read(messageId)).toEqual({
      fingerprint: "f",
      changes: (outcome as { changes: unknown }).changes,
    });
  });

  test("without changes leaves that", async () => {
    const messageId = uuid();
    await commit([], request(messageId));
    expect(await read(messageId)).toEqual({ fingerprint: "f", changes: [] });
  });

  test("that lost a race leaves nothing", async () => {
    const [accountId, messageId] = [await opened(), uuid()];
    expect(await commit([crediting(accountId, 99, 5)], request(messageId))).toMatchObject({
      outcome: "conflict",
    });
    expect(await read(messageId)).toBeUndefined();
  });
});

test("A commit of nothing, which need not run once, makes no round trip", async () => {
  expect(await commit([])).toEqual({ outcome: "committed", changes: [] });
  expect(bank.statements).toEqual([]);
});
