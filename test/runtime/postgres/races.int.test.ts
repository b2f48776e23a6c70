import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import type { StagedChange } from "../../../runtime";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import type { CommitContext } from "../../../runtime/store/store";
import { accountAt, accountChanges } from "../../support/domain/account";
import { applicationConnection, type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";
import { connect } from "../../support/postgres/postgres";

let bank: BankDatabase;
let serializable: BankDatabase["db"];
beforeAll(async () => {
  bank = await bankDatabase();
  // Time enough to close the circle of the deadlock below before the database looks for it.
  await bank.admin.query(`alter database ${bank.database.name} set deadlock_timeout = '3s'`);
  serializable = applicationConnection(bank.database, {
    default_transaction_isolation: "repeatable read",
  }).db;
});

const commit = (changes: StagedChange[], context: Partial<CommitContext> = {}, db = bank.db) =>
  commitToPostgres(db, changes, { correlationId: "request-1", ...context });
const { opening, ...changes } = accountChanges(() => bank.accounts);
const crediting = (accountId: string, version: number, balance: number) =>
  changes.crediting(accountAt(accountId, version), balance);
/** Whatever the version is. */
const closing = (accountId: string) =>
  bank.accounts
    .change((table) => table.delete().where("accountId", "=", accountId))
    .raise("AccountClosed", { reason: "moved" });
/** Leaves the counting to the database. */
const counting = (accountId: string, ..._: number[]) =>
  bank.accounts
    .change((table) => table.update({ balance: sql`balance + 1` }).where("accountId", "=", accountId))
    .raise("AccountCredited", { amount: 1 });
async function opened(): Promise<string> {
  const accountId = uuid();
  expect(await commit([opening(accountId)])).toMatchObject({ outcome: "committed" });
  return accountId;
}
/** The event of what somebody else's SQL has just done to an account. */
const RAISE_EVENT = "select raise_event('bank.Account', $1, $2)";
const outcomes = (all: { outcome: string }[]) => all.map(({ outcome }) => outcome).sort();
const versions = async (accountId: string) =>
  (await bank.events(accountId)).map(({ aggregate_version }) => aggregate_version);
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe("of writers that read the same version", () => {
  test("one wins and the others end in a conflict", async () => {
    const accountId = await opened();
    const all = await Promise.all(upTo(5).map((balance) => commit([crediting(accountId, 1, balance)])));
    expect(outcomes(all)).toEqual(["committed", "conflict", "conflict", "conflict", "conflict"]);
    expect(await versions(accountId)).toEqual([1, 2]);
    const winner = upTo(5)[all.findIndex(({ outcome }) => outcome === "committed")];
    expect(await bank.account(accountId)).toMatchObject({ balance: winner, version: 2 });
  });

  test("one wins also in transactions of several changes, and the others leave nothing behind", async () => {
    const accountId = await opened();
    const others = upTo(4).map(() => uuid());
    const all = await Promise.all(
      others.map((other, index) => commit([opening(other), crediting(accountId, 1, index)])),
    );
    expect(outcomes(all)).toEqual(["committed", "conflict", "conflict", "conflict"]);
    const written = [];
    for (const other of others) written.push(...(await bank.events(other)));
    expect(written).toHaveLength(1);
  });

  test("one creates an aggregate and the others end in a conflict", async () => {
    const accountId = uuid();
    const all = await Promise.all(upTo(4).map(() => commit([opening(accountId)])));
    expect(outcomes(all)).toEqual(["committed", "conflict", "conflict", "conflict"]);
    expect(await versions(accountId)).toEqual([1]);
  });
});

describe("many writers at once", () => {
  test("that read again after a conflict make versions without gaps or duplicates, and lose no change", async () => {
    const accountId = await opened();
    const increment = async (): Promise<void> => {
      for (;;) {
        const { balance, version } = (await bank.accounts.find(accountId))!;
        const { outcome } = await commit([crediting(accountId, version, balance + 1)]);
        if (outcome === "committed") return;
      }
    };
    await Promise.all(upTo(20).map(increment));
    expect(await versions(accountId)).toEqual(upTo(21));
    const events = await bank.events(accountId);
    expect(events.map(({ payload }) => payload.state?.["balance"])).toEqual([0, ...upTo(20)]);
    expect(await bank.account(accountId)).toMatchObject({ balance: 20, version: 21 });
  });

  test("that leave the counting to the database are all served, each with its own version and state", async () => {
    const accountId = await opened();
    const all = await Promise.all(upTo(20).map(() => commit([counting(accountId)])));
    expect(new Set(outcomes(all))).toEqual(new Set(["committed"]));
    const events = await bank.events(accountId);
    expect(events.map(({ aggregate_version }) => aggregate_version)).toEqual(upTo(21));
    expect(events.map(({ payload }) => payload.state?.["balance"])).toEqual([0, ...upTo(20)]);
  });
});

describe("one message that is processed twice at once", () => {
  test.each([
    ["in one statement", (accountId: string) => [crediting(accountId, 1, 5)]],
    ["in a transaction", (accountId: string) => [crediting(accountId, 1, 5), opening(uuid())]],
  ])("takes effect once %s", async (_, changes) => {
    const [accountId, messageId] = [await opened(), uuid()];
    const once = { once: { consumer: "bank.commands", messageId } };
    const all = await Promise.all(upTo(4).map(() => commit(changes(accountId), once)));
    expect(all.filter(({ outcome }) => outcome === "committed")).toHaveLength(1);
    expect(await versions(accountId)).toEqual([1, 2]);
    expect(await commit(changes(accountId), once)).not.toMatchObject({ outcome: "committed" });
  });
});

describe("a creation that meets a deletion", () => {
  test.each([
    ["and whose events are kept", () => undefined],
    ["and whose events are gone", (accountId: string) => bank.forgetEvents(accountId)],
  ])("which is not committed yet, %s, waits for it and goes on from its version", async (_, prepare) => {
    const accountId = await opened();
    await prepare(accountId);
    const other = await connect(bank.database.url);
    await other.query("begin");
    await other.query("delete from accounts where account_id = $1", [accountId]);
    await other.query(RAISE_EVENT, [accountId, "AccountClosed"]);
    const creation = commit([opening(accountId)]);
    await bank.untilBlocked();
    await other.query("commit");
    expect(await creation).toMatchObject({ outcome: "committed", changes: [{ version: 3 }] });
  });

  test("at the same moment, over and over, never makes a version twice or leaves one out", async () => {
    const accountId = await opened();
    const busy = (staged: (id: string) => StagedChange) => async () => {
      for (let left = 10; left > 0; left -= 1) await commit([staged(accountId)]);
    };
    await Promise.all([busy(opening), busy(closing), busy(opening), busy(closing)].map((run) => run()));
    const written = await versions(accountId);
    expect(written).toEqual(upTo(written.length));
    const row = await bank.account(accountId);
    if (row) expect(row["version"]).toBe(written.length);
  });
});

describe("the database's own word for a lost race", () => {
  test.each([
    ["a conflict where it detects a deadlock", counting, "conflict"],
    ["met by one more attempt where one statement wrote several changes", crediting, "committed"],
  ] as const)("is %s", async (_, changing, outcome) => {
    const [first, second] = [await opened(), await opened()];
    const other = await connect(bank.database.url);
    // The other one waits longer than the commit, so the database gives up the commit.
    await other.query("set deadlock_timeout = '1min'");
    await other.query("begin");
    await other.query("select from accounts where account_id = $1 for update", [second]);
    const committing = commit([crediting(first, 1, 5), changing(second, 1, 5)]);
    await bank.untilBlocked();
    await other.query("select from accounts where account_id = $1 for update", [first]);
    await other.query("rollback");
    const deadlock = {
      aggregate: "bank.Account, bank.Account",
      message: expect.stringContaining("deadlock") as string,
    };
    expect(await committing).toMatchObject({ outcome, ...(outcome === "conflict" ? deadlock : {}) });
    expect(await versions(first)).toEqual(outcome === "conflict" ? [1] : [1, 2]);
  });

  test("is a conflict where it cannot serialize", async () => {
    const accountId = await opened();
    const other = await connect(bank.database.url);
    await other.query("begin");
    await other.query("select from accounts where account_id = $1 for update", [accountId]);
    const committing = commit([crediting(accountId, 1, 5)], {}, serializable);
    await bank.untilBlocked();
    await other.query("update accounts set version = version + 1 where account_id = $1", [accountId]);
    await other.query(RAISE_EVENT, [accountId, "AccountRenamed"]);
    await other.query("commit");
    expect(await committing).toMatchObject({
      outcome: "conflict",
      message: expect.stringContaining("could not serialize") as string,
    });
    expect(await bank.account(accountId)).toMatchObject({ balance: 0, version: 2 });
  });
});
