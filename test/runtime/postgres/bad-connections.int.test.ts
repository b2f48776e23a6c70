import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { mockClient } from "aws-sdk-client-mock";
import { Kysely, PostgresDialect, sql } from "kysely";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { readEnvironment } from "../../../runtime/function/handler";
import { openPool, POOL_VARIABLES } from "../../../runtime/postgres/pool";
import type { AnyDatabase } from "../../../runtime/postgres/statement";
import { storeOn } from "../../../runtime/postgres/store";
import { commitOnFreshReads } from "../../../runtime/store/retries";
import { type AccountHandle, accountChanges, accounts } from "../../support/domain/account";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";
import { capturedLog } from "../../support/process/captured-log";
import { connect } from "../../support/postgres/postgres";
import { transactionPooler } from "../../support/postgres/transaction-pooler";

const secrets = mockClient(SecretsManagerClient);
const log = capturedLog();
let bank: BankDatabase;
/** A login of this file alone, which may take a role that cannot do the application's work. */
const LOGIN = { user: `spoiled_${process.pid}`, password: "spoiled" };
beforeAll(async () => {
  bank = await bankDatabase();
  const roles = "monolith_application, monolith_retention";
  await bank.admin.query(`create role ${LOGIN.user} login password '${LOGIN.password}' in role ${roles}`);
});
afterAll(() => bank.admin.query(`drop role ${LOGIN.user}`));
beforeEach(() => {
  secrets.reset();
  secret({ username: LOGIN.user, password: LOGIN.password });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("DATABASE_NAME", bank.database.name);
  vi.stubEnv("DATABASE_TLS", "disable");
  vi.stubEnv("DATABASE_SECRET_ARN", "arn:secret");
  at(bank.database);
});

const secret = (content: unknown) =>
  secrets.on(GetSecretValueCommand).resolves({ SecretString: JSON.stringify(content) });
function at({ host, port }: { host: string; port: number }) {
  vi.stubEnv("DATABASE_HOST", host);
  vi.stubEnv("DATABASE_PORT", String(port));
}

/** A function's database, as its handlers have it; closed after the test. */
function warmFunction() {
  const db = new Kysely<AnyDatabase>({
    dialect: new PostgresDialect({ pool: () => openPool(readEnvironment(POOL_VARIABLES)) }),
  });
  onTestFinished(() => db.destroy());
  const store = storeOn(db);
  const handle = store.handles({ accounts })["accounts"] as unknown as AccountHandle;
  const changes = accountChanges(() => handle);
  return {
    db,
    /** A command that creates an account. */
    open: (accountId: string) =>
      commitOnFreshReads(() => Promise.resolve(changes.opening(accountId)), store, { correlationId: "r" }, 3),
    /** A command that reads an account and changes it: two statements or, with a request, a transaction. */
    credit: (accountId: string) =>
      commitOnFreshReads(
        async () => changes.crediting(await handle.get(accountId)),
        store,
        { correlationId: "r" },
        3,
      ),
    /** Changes several accounts in one transaction. */
    creditAll: (accountIds: string[]) =>
      commitOnFreshReads(
        async () => {
          const described = [];
          for (const id of accountIds) described.push(changes.crediting(await handle.get(id)));
          return described;
        },
        store,
        { correlationId: "r" },
        3,
      ),
  };
}

/** A superuser's name, whose privileges some ways to spoil a connection need. */
const SPOILED: [how: string, statements: string[]][] = [
  ["is read-only, as after a failover", ["set session characteristics as transaction read only"]],
  ["is read-only by default", ["set default_transaction_read_only = on"]],
  ["has lost its prepared statements", ["discard all"]],
  ["has lost one prepared statement", ["deallocate all"]],
  ["has another role", ["set role monolith_retention"]],
  ["has another search path", ["set search_path = nowhere"]],
  ["has an open transaction that failed", ["begin", "select 1/0"]],
  ["has an open transaction", ["begin"]],
  ["has a time limit that nothing keeps", ["set statement_timeout = 1"]],
];

describe("a warm function whose connection", () => {
  test.each(SPOILED)("%s goes on working", async (_, statements) => {
    const { db, open, credit, creditAll } = warmFunction();
    const [one, other] = [uuid(), uuid()];
    // Both statements are prepared.
    await open(one);
    await credit(one);
    await db.connection().execute(async (connection) => {
      for (const statement of statements) {
        await sql
          .raw(statement)
          .execute(connection)
          .catch(() => undefined);
      }
    });
    // One request may fail (the first, or with a time limit the first that takes longer), as long as the function does not
    // stay broken.
    let failures = 0;
    const committing = async (request: () => Promise<unknown>) => {
      const first = await request().catch((error: unknown) => error);
      if ((first as { outcome?: string }).outcome === "committed") return;
      failures += 1;
      expect(await request()).toMatchObject({ outcome: "committed" });
    };
    for (const request of [() => open(other), () => credit(one), () => creditAll([one, other])])
      await committing(request);
    expect(failures).toBeLessThanOrEqual(1);
    expect((await bank.events(one)).map(({ aggregate_version }) => aggregate_version)).toEqual([1, 2, 3, 4]);
    expect(await bank.account(other)).toMatchObject({ version: 2 });
  });

  test.each(SPOILED.slice(0, 6))("%s answers even the first request", async (_, statements) => {
    const { db, open } = warmFunction();
    await open(uuid());
    await db.connection().execute(async (connection) => {
      for (const statement of statements) await sql.raw(statement).execute(connection);
    });
    expect(await open(uuid())).toMatchObject({ outcome: "committed" });
  });

  test("is closed by the server, or killed, goes on working", async () => {
    const { open } = warmFunction();
    await open(uuid());
    for (let round = 0; round < 3; round += 1) {
      await bank.admin.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and usename <> current_user",
      );
      expect(await open(uuid())).toMatchObject({ outcome: "committed" });
    }
  });

  test("keeps a connection whose statement was refused for its values", async () => {
    const { db } = warmFunction();
    const pid = async () =>
      (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid;
    const before = await pid();
    for (const refused of [
      sql`select 1/0`,
      sql`select 'x'::uuid`,
      sql`insert into accounts (account_id) values (null)`,
    ]) {
      await expect(refused.execute(db)).rejects.toThrow();
    }
    expect(await pid()).toBe(before);
    expect(log).toEqual([]);
  });

  test("is refused a genuine lack of a privilege with the database's own error", async () => {
    const { db } = warmFunction();
    await expect(sql`select * from pg_authid`.execute(db)).rejects.toMatchObject({ code: "42501" });
  });
});

describe("a function whose secret was rotated", () => {
  test("connects as the new user, although the pool was opened with the old one", async () => {
    const { db, open } = warmFunction();
    await open(uuid());
    const { user, password } = LOGIN;
    const renamed = `${user}_renamed_${process.pid}`;
    await bank.admin.query(`create role ${renamed} login password 'new' in role monolith_application`);
    onTestFinished(async () => {
      await bank.admin.query(`drop role ${renamed}`);
    });
    // Alternating users: the old one is refused once it is rotated again.
    secret({ username: `${user}_gone`, password });
    await db
      .connection()
      .execute((connection) => sql`select pg_terminate_backend(pg_backend_pid())`.execute(connection))
      .catch(() => undefined);
    secret({ username: renamed, password: "new" });
    expect(await open(uuid())).toMatchObject({ outcome: "committed" });
    const second = await db
      .connection()
      .execute(async () => (await sql<{ who: string }>`select current_user as who`.execute(db)).rows[0]?.who);
    expect([user, renamed]).toContain(second);
    await db.destroy();
  });
});

describe("behind a pooler in transaction mode", () => {
  test.each([
    ["that ignores startup parameters", undefined],
    ["that refuses statement_timeout, as PgBouncer does by default", "statement_timeout"],
  ])("%s, every command succeeds, and changes take effect once", async (_, refuses) => {
    const { user, password } = bank.database.as("monolith_application");
    const { host, port, name } = bank.database;
    const upstream = { host, port, name, user, password };
    const pooler = await transactionPooler(upstream, { servers: 3, ...(refuses ? { refuses } : {}) });
    at(pooler);
    const { open, credit, creditAll } = warmFunction();
    const ids = Array.from({ length: 6 }, () => uuid());
    for (const id of ids) expect(await open(id)).toMatchObject({ outcome: "committed" });
    for (const id of ids) expect(await credit(id)).toMatchObject({ outcome: "committed" });
    for (let round = 0; round < 4; round += 1) {
      expect(await creditAll(ids)).toMatchObject({ outcome: "committed" });
    }
    for (const id of ids) expect(await bank.account(id)).toMatchObject({ version: 6, balance: 5 });
    // Otherwise it would show nothing: no session would have changed between two transactions.
    expect(Math.min(...pooler.transactions())).toBeGreaterThan(5);
    expect(
      log.filter(({ message }) => String(message).startsWith("Prepared statements do not last")),
    ).toHaveLength(1);
  });

  test("two functions share the pooler's sessions, and neither meets the other's statements", async () => {
    const { user, password } = bank.database.as("monolith_application");
    const { host, port, name } = bank.database;
    const pooler = await transactionPooler({ host, port, name, user, password }, { servers: 2 });
    at(pooler);
    const [one, other] = [warmFunction(), warmFunction()];
    for (let round = 0; round < 6; round += 1) {
      const outcomes = await Promise.all([one.open(uuid()), other.open(uuid())]);
      expect(outcomes).toEqual([
        expect.objectContaining({ outcome: "committed" }),
        expect.objectContaining({ outcome: "committed" }),
      ]);
    }
  });
});

test("The pooler of these tests loses prepared statements: a plain client fails behind it", async () => {
  const { user, password } = bank.database.as("monolith_application");
  const { host, port, name } = bank.database;
  const pooler = await transactionPooler({ host, port, name, user, password }, { servers: 2 });
  const client = await connect(`postgres://${user}:${password}@${pooler.host}:${pooler.port}/${name}`);
  const run = () => client.query({ name: "s1", text: "select $1::int", values: [1] });
  await run();
  await expect(run()).rejects.toMatchObject({ code: "26000" });
});
