/** What is in the tables themselves; what a commit does in every store is in test/conformance. */
import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import { MAX_CHANGES_PER_COMMIT, type StagedChange } from "../../../runtime";
import type { CommitContext } from "../../../runtime/store/store";
import { accountChanges, newAccount } from "../../support/domain/account";
import { BANK_TABLES, bankTables } from "../../support/dynamodb/bank-tables";

const bank = bankTables();
const { opening, crediting, closing } = accountChanges(() => bank.accounts);

const commit = (changes: StagedChange[], context: Partial<CommitContext> = {}) =>
  bank.store.commit(changes, { correlationId: "request-1", ...context });
const once = (messageId: string) => ({ once: { consumer: "bank.commands", messageId } });
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

async function opened(more: Parameters<typeof opening>[1] = {}): Promise<string> {
  const accountId = uuid();
  expect(await commit([opening(accountId, more)])).toMatchObject({ outcome: "committed" });
  return accountId;
}
const items = async (accountId: string) =>
  (await bank.items(BANK_TABLES.entities.accounts)).filter((item) => item["accountId"] === accountId);
const inbox = async (messageId: string) =>
  (await bank.items(BANK_TABLES.inbox)).filter((item) => item["messageId"] === messageId);

describe("an aggregate", () => {
  test("is an item, and each of its events an item under the aggregate's key", async () => {
    const accountId = await opened({ note: "private" });
    await commit([crediting(await bank.accounts.get(accountId), 5)]);
    expect(await items(accountId)).toEqual([
      { ...newAccount(accountId), balance: 5, note: "private", version: 2 },
    ]);
    const [first, second] = await bank.events(accountId);
    expect(first).toMatchObject({
      aggregate: "bank.Account",
      aggregateKey: `bank.Account#${accountId}`,
      aggregateVersion: 1,
      correlationId: "request-1",
      schemaVersion: 1,
    });
    expect(JSON.parse(second!.payload)).toEqual({
      change: { amount: 1 },
      state: { ...newAccount(accountId), balance: 5 },
    });
  });

  test("that was removed leaves its key and its version, and nothing else", async () => {
    const accountId = await opened({ owner: "Secret Person", note: "private" });
    await commit([closing(await bank.accounts.get(accountId))]);
    expect(await items(accountId)).toEqual([{ accountId, version: 2, removed: true }]);
  });

  test("is written without its optional fields that are undefined", async () => {
    const accountId = await opened({ note: undefined });
    expect(await items(accountId)).toEqual([{ ...newAccount(accountId), version: 1 }]);
    await commit([
      bank.accounts.update(await bank.accounts.get(accountId), { note: "x" }).raise("AccountRenamed"),
    ]);
    const read = await bank.accounts.get(accountId);
    await commit([bank.accounts.update(read, { note: undefined }).raise("AccountRenamed")]);
    expect(await items(accountId)).toEqual([{ ...newAccount(accountId), version: 3 }]);
  });
});

test("A message that was processed is an item that expires, without what is kept of requests only", async () => {
  const messageId = uuid();
  expect(await commit([opening(uuid())], once(messageId))).toMatchObject({ outcome: "committed" });
  expect(await commit([opening(uuid())], once(messageId))).toEqual({ outcome: "duplicate" });
  expect(await inbox(messageId)).toEqual([
    {
      messageId,
      consumer: "bank.commands",
      processedAt: expect.any(String) as string,
      expiresAt: expect.any(Number) as number,
    },
  ]);
});

test("A commit of as many changes as a transaction takes is written as a whole", async () => {
  const ids = upTo(MAX_CHANGES_PER_COMMIT).map(() => uuid());
  const outcome = await commit(
    ids.map((accountId) => opening(accountId)),
    once(uuid()),
  );
  expect(outcome).toMatchObject({ outcome: "committed" });
  const keys = new Set(ids);
  const events = (await bank.items(BANK_TABLES.outbox)).filter((item) =>
    keys.has(String(item["aggregateId"])),
  );
  expect(events).toHaveLength(MAX_CHANGES_PER_COMMIT);
});
