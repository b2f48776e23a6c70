import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { mockClient } from "aws-sdk-client-mock";
import { Kysely, PostgresDialect, sql } from "kysely";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { StagedChange } from "../../../runtime";
import { commitToPostgres } from "../../../runtime/postgres/commit";
import { readEnvironment } from "../../../runtime/function/handler";
import { readCommittedRequest } from "../../../runtime/postgres/inbox";
import type { AnyDatabase } from "../../../runtime/postgres/statement";
import type { CommitContext } from "../../../runtime/store/store";
import { accountAt, accountChanges, newAccount } from "../../support/domain/account";
import { openPool, POOL_VARIABLES } from "../../../runtime/postgres/pool";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";
import { type Break, type BreakingProxy, breakingProxy } from "../../support/postgres/breaking-proxy";
import { capturedLog } from "../../support/process/captured-log";
import { connect } from "../../support/postgres/postgres";

const secrets = mockClient(SecretsManagerClient);
capturedLog();
let bank: BankDatabase;
let proxy: BreakingProxy;
/** As a function has it, by way of the proxy. */
let db: Kysely<AnyDatabase>;
beforeAll(async () => {
  bank = await bankDatabase();
  proxy = await breakingProxy(bank.database);
  const { user, password } = bank.database.as("monolith_application");
  secrets.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify({ username: user, password }) });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("DATABASE_HOST", proxy.host);
  vi.stubEnv("DATABASE_PORT", String(proxy.port));
  vi.stubEnv("DATABASE_NAME", bank.database.name);
  vi.stubEnv("DATABASE_TLS", "disable");
  vi.stubEnv("DATABASE_SECRET_ARN", "arn:secret");
  db = kysely();
});
beforeEach(() => {
  // Short pauses between tries.
  vi.spyOn(Math, "random").mockReturnValue(0.1);
});
afterAll(() => db.destroy());

const kysely = () => {
  const pool = () => openPool(readEnvironment(POOL_VARIABLES));
  return new Kysely<AnyDatabase>({ dialect: new PostgresDialect({ pool }) });
};
const commit = (changes: StagedChange[], context: Partial<CommitContext> = {}) =>
  commitToPostgres(db, changes, { correlationId: "request-1", ...context });
const once = (messageId: string, fingerprint?: string) => ({
  once: { consumer: "bank.commands", messageId, ...(fingerprint ? { fingerprint } : {}) },
});
const { opening, ...changes } = accountChanges(() => bank.accounts);
/** By version, as a command that has read the row. */
const crediting = (accountId: string) => changes.crediting(accountAt(accountId, 1), 5);
/** Whatever the version is: a second time it would count again. */
const counting = (accountId: string) =>
  bank.accounts
    .change((table) => table.update({ balance: sql`balance + 5` }).where("accountId", "=", accountId))
    .raise("AccountCredited", { amount: 1 });
/** Creates it, or counts. */
const upserting = (accountId: string) =>
  bank.accounts
    .change((table) =>
      table
        .insert(newAccount(accountId))
        .onConflict((on) => on.column("accountId").doUpdateSet({ balance: sql`accounts.balance + 5` })),
    )
    .raise("AccountCredited", { amount: 1 });
const closing = (accountId: string) => changes.closing(accountAt(accountId, 1));
async function opened(): Promise<string> {
  const accountId = uuid();
  expect(await commit([opening(accountId)])).toMatchObject({ outcome: "committed" });
  return accountId;
}
const versions = async (accountId: string) =>
  (await bank.events(accountId)).map(({ aggregate_version }) => aggregate_version);
const breaks: Break[] = ["before", "at-work", "after"];

describe.each(breaks)("a connection that breaks %s the database", (when) => {
  test.each([
    [
      "an update of one row",
      async () => [await opened()],
      ([id]: string[]) => [crediting(id!)],
      "AccountCredited",
    ],
    ["a deletion", async () => [await opened()], ([id]: string[]) => [closing(id!)], "AccountClosed"],
    [
      "an update that counts in the database",
      async () => [await opened()],
      ([id]: string[]) => [counting(id!)],
      "commit",
    ],
    ["an upsert", async () => [await opened()], ([id]: string[]) => [upserting(id!)], "commit"],
    [
      "several changes",
      async () => [await opened(), await opened()],
      ([one, other]: string[]) => [crediting(one!), counting(other!)],
      "commit",
    ],
  ])("leaves %s done, once, and answered so", async (_, prepare, stage, text) => {
    const ids = await prepare();
    const before = proxy.broken();
    proxy.breakAt(text, when);
    const outcome = await commit(stage(ids));
    expect(proxy.broken()).toBe(before + 1);
    const written = await Promise.all(ids.map(async (id) => (await bank.events(id)).at(-1)!));
    expect(outcome).toEqual({
      outcome: "committed",
      changes: written.map(({ id: eventId, type: event }, index) => ({
        aggregate: "bank.Account",
        id: ids[index],
        version: 2,
        event,
        eventId,
      })),
    });
    for (const id of ids) expect(await versions(id)).toEqual([1, 2]);
  });

  test("leaves a creation done, once, and answered so", async () => {
    const accountId = uuid();
    proxy.breakAt("AccountOpened", when);
    const outcome = await commit([opening(accountId)]);
    expect(outcome).toMatchObject({ outcome: "committed", changes: [{ id: accountId, version: 1 }] });
    expect(await versions(accountId)).toEqual([1]);
  });

  test.each([
    ["one change", "AccountCredited", (id: string) => [crediting(id)]],
    ["several changes", "commit", (id: string) => [crediting(id), opening(uuid())]],
  ])("leaves %s of what runs once done, once, and answered so", async (_, text, stage) => {
    const [accountId, messageId] = [await opened(), uuid()];
    proxy.breakAt(text, when);
    expect(await commit(stage(accountId), once(messageId, "f"))).toMatchObject({
      outcome: "committed",
      changes: expect.arrayContaining([expect.objectContaining({ id: accountId, version: 2 })]) as unknown,
    });
    expect(await commit(stage(accountId), once(messageId, "f"))).toEqual({ outcome: "duplicate" });
    expect(await versions(accountId)).toEqual([1, 2]);
  });

  test("leaves an event processed, also when there is nothing to change", async () => {
    const messageId = uuid();
    proxy.breakAt("commit", when);
    // The first try and the further one cannot be told apart; either way the event is processed.
    expect(["committed", "duplicate"]).toContain((await commit([], once(messageId))).outcome);
    expect(await bank.processed(messageId)).toBe(true);
  });
});

describe("a statement that is still at work when its connection has broken", () => {
  test("takes effect once, and not beside the further try", async () => {
    const accountId = await opened();
    const other = await connect(bank.database.url);
    await other.query("begin");
    await other.query("select from accounts where account_id = $1 for update", [accountId]);
    proxy.breakAt("AccountCredited", "at-work");
    const committing = commit([crediting(accountId)]);
    // The lost one and the further one.
    await bank.untilBlocked(2);
    await other.query("rollback");
    expect(await committing).toMatchObject({ outcome: "committed", changes: [{ version: 2 }] });
    expect(await versions(accountId)).toEqual([1, 2]);
    expect(await bank.account(accountId)).toMatchObject({ balance: 5, version: 2 });
  });
});

describe("a connection that breaks before the commit was sent", () => {
  test("is an error that says that nothing was written, and nothing is", async () => {
    const accountId = await opened();
    proxy.breakAt("AccountCredited", "after");
    await expect(commit([crediting(accountId), opening(uuid())])).rejects.toMatchObject({
      code: "CONNECTION_LOST",
    });
    expect(await versions(accountId)).toEqual([1]);
  });

  test("since the server has ended it while it was idle, goes unnoticed", async () => {
    const accountId = await opened();
    await bank.admin.query(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and usename <> current_user",
    );
    expect(await commit([crediting(accountId)])).toMatchObject({ outcome: "committed" });
    expect(await versions(accountId)).toEqual([1, 2]);
  });
});

describe("a database that cannot be asked again", () => {
  test.each([
    ["what was written", "after", [1, 2]],
    ["what was not written", "before", [1]],
  ] as const)("leaves it unknown, of %s", async (_, when, written) => {
    const accountId = await opened();
    proxy.breakAt("AccountCredited", when, true);
    try {
      expect(await commit([crediting(accountId)])).toMatchObject({ outcome: "unknown" });
    } finally {
      proxy.restore();
    }
    expect(await versions(accountId)).toEqual(written);
  });

  test("tells a request's changes when it is sent again under its id", async () => {
    const [accountId, messageId] = [await opened(), uuid()];
    proxy.breakAt("AccountCredited", "after", true);
    try {
      expect(await commit([crediting(accountId)], once(messageId, "f"))).toMatchObject({
        outcome: "unknown",
      });
    } finally {
      proxy.restore();
    }
    const context = once(messageId, "f");
    expect(await commit([crediting(accountId)], context)).toEqual({ outcome: "duplicate" });
    expect(await readCommittedRequest(db, context.once)).toMatchObject({
      changes: [{ id: accountId, version: 2 }],
    });
  });

  test("and was not asked at all is an error, and nothing is written", async () => {
    const accountId = await opened();
    const unconnected = kysely();
    proxy.refuse();
    try {
      const committing = commitToPostgres(unconnected, [crediting(accountId)], {
        correlationId: "request-1",
      });
      await expect(committing).rejects.toMatchObject({
        message: expect.stringContaining("Connection terminated") as string,
      });
    } finally {
      proxy.restore();
      await unconnected.destroy();
    }
    expect(await versions(accountId)).toEqual([1]);
  });
});
