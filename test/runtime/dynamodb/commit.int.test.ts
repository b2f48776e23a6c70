import { v7 as uuid } from "uuid";
import { describe, expect, test } from "vitest";
import { MAX_CHANGES_PER_COMMIT } from "../../../runtime/store/commit-limit";
import { commitToDynamo } from "../../../runtime/dynamodb/commit";
import type { CommitContext, StagedChange } from "../../../runtime/store/store";
import { BANK_TABLES, bankTables } from "../../support/bank-tables";

const bank = bankTables();

const commit = (changes: StagedChange[], context: Partial<CommitContext> = {}) =>
  commitToDynamo(bank.documents, BANK_TABLES, changes, { correlationId: "request-1", ...context });
const once = (messageId: string) => ({ once: { consumer: "bank.commands", messageId } });
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

const opening = (accountId: string, more: { owner?: string; note?: string } = {}) =>
  bank.accounts.create(
    "AccountOpened",
    {},
    { accountId, owner: `owner of ${accountId}`, balance: 0, grade: "gold", ...more },
  );
async function opened(more: Parameters<typeof opening>[1] = {}): Promise<string> {
  const accountId = uuid();
  expect(await commit([opening(accountId, more)])).toMatchObject({ outcome: "committed" });
  return accountId;
}
async function found(accountId: string) {
  const item = await bank.accounts.find(accountId);
  expect(item).toBeDefined();
  return item!;
}
const credited = async (accountId: string, balance: number) =>
  bank.accounts.update("AccountCredited", { amount: 1 }, await found(accountId), { balance });
const closed = async (accountId: string) =>
  bank.accounts.remove("AccountClosed", { reason: "moved" }, await found(accountId));
const versions = async (accountId: string) =>
  (await bank.events(accountId)).map(({ aggregateVersion, type }) => `${aggregateVersion} ${type}`);
const inbox = async (messageId: string) =>
  (await bank.items(BANK_TABLES.inbox)).filter((item) => item["messageId"] === messageId);

describe("one aggregate's life", () => {
  test("is an item and an event a change, whose states agree", async () => {
    const accountId = await opened({ note: "private" });
    await commit([await credited(accountId, 5)]);
    expect(await bank.accounts.find(accountId)).toEqual({
      accountId,
      owner: `owner of ${accountId}`,
      balance: 5,
      grade: "gold",
      note: "private",
      version: 2,
    });
    const [first, second] = await bank.events(accountId);
    expect(first).toMatchObject({
      aggregate: "bank.Account",
      aggregateKey: `bank.Account#${accountId}`,
      correlationId: "request-1",
      schemaVersion: 1,
    });
    expect(JSON.parse(second!.payload)).toEqual({
      change: { amount: 1 },
      state: { accountId, owner: `owner of ${accountId}`, balance: 5, grade: "gold" },
    });
    expect(JSON.stringify([first, second])).not.toContain("private");
  });

  test("ends with an event of a null state and begins again with the next version", async () => {
    const accountId = await opened();
    await commit([await credited(accountId, 5)]);
    await commit([await closed(accountId)]);
    expect(await bank.accounts.find(accountId)).toBeUndefined();
    expect(await commit([opening(accountId)])).toMatchObject({ changes: [{ version: 4 }] });
    await commit([await closed(accountId)]);
    expect(await commit([opening(accountId)], once(uuid()))).toMatchObject({ changes: [{ version: 6 }] });
    expect(await versions(accountId)).toEqual([
      "1 AccountOpened",
      "2 AccountCredited",
      "3 AccountClosed",
      "4 AccountOpened",
      "5 AccountClosed",
      "6 AccountOpened",
    ]);
    expect(JSON.parse((await bank.events(accountId))[4]!.payload)).toMatchObject({ state: null });
    expect(await found(accountId)).toMatchObject({ balance: 0, version: 6 });
  });

  test("keeps nothing of an item that was removed but its key and its version", async () => {
    const accountId = await opened({ owner: "Secret Person", note: "private" });
    await commit([await closed(accountId)]);
    const left = (await bank.items(BANK_TABLES.entities.accounts)).filter(
      (item) => item["accountId"] === accountId,
    );
    expect(left).toEqual([{ accountId, version: 2, removed: true }]);
  });
});

describe("a conflict", () => {
  const untouched = async (accountId: string) => {
    expect(await found(accountId)).toMatchObject({ version: 2, balance: 5 });
    expect(await bank.events(accountId)).toHaveLength(2);
  };

  test.each([
    [
      "an update of a version that is gone",
      (item: Item) => bank.accounts.update("AccountCredited", { amount: 1 }, item, { balance: 9 }),
    ],
    [
      "a removal of a version that is gone",
      (item: Item) => bank.accounts.remove("AccountClosed", { reason: "x" }, item),
    ],
    ["a creation of what is there", (item: Item) => opening(item.accountId)],
  ])("is %s, and writes nothing", async (_, stage) => {
    const accountId = await opened();
    const read = await found(accountId);
    await commit([await credited(accountId, 5)]);
    const messageId = uuid();
    expect(await commit([stage(read)], once(messageId))).toMatchObject({
      outcome: "conflict",
      aggregate: "bank.Account",
      message: expect.stringContaining(accountId) as string,
    });
    await untouched(accountId);
    expect(await inbox(messageId)).toEqual([]);
  });

  test("of one change leaves the others undone", async () => {
    const [accountId, other] = [await opened(), uuid()];
    const read = await found(accountId);
    await commit([await credited(accountId, 5)]);
    const stale = bank.accounts.update("AccountCredited", { amount: 1 }, read, { balance: 9 });
    expect(await commit([opening(other), stale])).toMatchObject({
      outcome: "conflict",
      message: expect.stringContaining(accountId) as string,
    });
    await untouched(accountId);
    expect(await bank.accounts.find(other)).toBeUndefined();
    expect(await bank.events(other)).toEqual([]);
  });

  test("is a change of an item that was removed meanwhile", async () => {
    const accountId = await opened();
    const read = await found(accountId);
    await commit([await closed(accountId)]);
    const stale = bank.accounts.update("AccountCredited", { amount: 1 }, read, { balance: 9 });
    expect(await commit([stale])).toMatchObject({ outcome: "conflict" });
    expect(await bank.accounts.find(accountId)).toBeUndefined();
  });

  type Item = Awaited<ReturnType<typeof found>>;
});

describe("what runs once", () => {
  test("is a duplicate the second time, and changes nothing", async () => {
    const [accountId, messageId] = [await opened(), uuid()];
    expect(await commit([await credited(accountId, 5)], once(messageId))).toMatchObject({
      outcome: "committed",
    });
    expect(await commit([await credited(accountId, 6)], once(messageId))).toEqual({ outcome: "duplicate" });
    expect(await found(accountId)).toMatchObject({ balance: 5, version: 2 });
    expect(await inbox(messageId)).toEqual([
      {
        messageId,
        consumer: "bank.commands",
        processedAt: expect.any(String) as string,
        expiresAt: expect.any(Number) as number,
      },
    ]);
  });

  test("is another matter for each consumer", async () => {
    const messageId = uuid();
    await commit([], { once: { consumer: "a", messageId } });
    expect(await commit([], { once: { consumer: "b", messageId } })).toMatchObject({ outcome: "committed" });
    expect(await commit([], { once: { consumer: "a", messageId } })).toEqual({ outcome: "duplicate" });
  });

  test("takes effect once when it is processed many times at once", async () => {
    const messageId = uuid();
    const ids = upTo(8).map(() => uuid());
    const all = await Promise.all(ids.map((accountId) => commit([opening(accountId)], once(messageId))));
    expect(all.filter(({ outcome }) => outcome === "committed")).toHaveLength(1);
    expect(all.filter(({ outcome }) => outcome === "duplicate")).toHaveLength(7);
    const written = await Promise.all(ids.map((accountId) => bank.events(accountId)));
    expect(written.flat()).toHaveLength(1);
  });
});

describe("20 writers at once", () => {
  test("that read again after a conflict make versions without gaps or duplicates, and lose no change", async () => {
    const accountId = await opened();
    const increment = async (): Promise<void> => {
      for (;;) {
        const { balance } = await found(accountId);
        const { outcome } = await commit([await credited(accountId, balance + 1)]);
        if (outcome === "committed") return;
      }
    };
    await Promise.all(upTo(20).map(increment));
    const events = await bank.events(accountId);
    expect(events.map(({ aggregateVersion }) => aggregateVersion)).toEqual(upTo(21));
    expect(await found(accountId)).toMatchObject({ version: 21 });
  });

  test("that create the same aggregate again after its removal begin one new life", async () => {
    const accountId = await opened();
    await commit([await closed(accountId)]);
    const all = await Promise.all(upTo(20).map(() => commit([opening(accountId)])));
    expect(all.filter(({ outcome }) => outcome === "committed")).toHaveLength(1);
    expect(all.filter(({ outcome }) => outcome === "conflict")).toHaveLength(19);
    expect(await versions(accountId)).toEqual(["1 AccountOpened", "2 AccountClosed", "3 AccountOpened"]);
  });
});

describe("a commit of as many changes as a transaction takes", () => {
  test("is written as a whole", async () => {
    const ids = upTo(MAX_CHANGES_PER_COMMIT).map(() => uuid());
    const messageId = uuid();
    const outcome = await commit(
      ids.map((accountId) => opening(accountId)),
      once(messageId),
    );
    expect(outcome).toMatchObject({ outcome: "committed" });
    const keys = new Set(ids);
    const events = (await bank.items(BANK_TABLES.outbox)).filter((item) =>
      keys.has(String(item["aggregateId"])),
    );
    expect(events).toHaveLength(MAX_CHANGES_PER_COMMIT);
  });
});

describe("the handle of a table", () => {
  test("finds items by an indexed field, with their versions, and none that was removed", async () => {
    const owner = `Ada ${uuid()}`;
    const [first, second, gone] = [await opened({ owner }), await opened({ owner }), await opened({ owner })];
    await opened({ owner: "Eve" });
    await commit([await closed(gone)]);
    const items = await bank.accounts.where("owner", owner);
    expect(items.map(({ accountId }) => accountId).sort()).toEqual([first, second].sort());
    expect(items.map(({ version }) => version)).toEqual([1, 1]);
    expect(await bank.accounts.where("owner", uuid())).toEqual([]);
  });

  test("finds nothing of an item that was removed or never was", async () => {
    const accountId = await opened();
    await commit([await closed(accountId)]);
    expect(await bank.accounts.find(accountId)).toBeUndefined();
    expect(await bank.accounts.find(uuid())).toBeUndefined();
  });

  test("writes an item whose optional fields are undefined", async () => {
    const accountId = uuid();
    const item = { accountId, owner: "Ada", balance: 0, grade: "gold", note: undefined } as never;
    await commit([bank.accounts.create("AccountOpened", {}, item)]);
    expect(await found(accountId)).toEqual({
      accountId,
      owner: "Ada",
      balance: 0,
      grade: "gold",
      version: 1,
    });
  });
});
