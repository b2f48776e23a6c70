import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { mockClient } from "aws-sdk-client-mock";
import { v7 as uuid } from "uuid";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { PostgresHandle, ProjectionHandle } from "../../../runtime/define/handles";
import { project } from "../../../runtime/define/project";
import { openPostgresStore } from "../../../runtime/postgres/store";
import { openPool } from "../../../runtime/postgres/pool";
import { Account, pgAccounts } from "../../support/account";
import { type BankDatabase, bankDatabase } from "../../support/bank-database";
import { capturedLog } from "../../support/captured-log";

const secrets = mockClient(SecretsManagerClient);
const log = capturedLog();
let bank: BankDatabase;
beforeAll(async () => {
  bank = await bankDatabase();
});
beforeEach(() => {
  const { user, password } = bank.database.as("monolith_application");
  secrets.reset();
  secret({ username: user, password });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("DATABASE_HOST", bank.database.host);
  vi.stubEnv("DATABASE_PORT", String(bank.database.port));
  vi.stubEnv("DATABASE_NAME", bank.database.name);
  vi.stubEnv("DATABASE_TLS", "disable");
  vi.stubEnv("DATABASE_SECRET_ARN", "arn:secret");
});

const secret = (content: unknown) =>
  secrets
    .on(GetSecretValueCommand)
    .resolves({ SecretString: typeof content === "string" ? content : JSON.stringify(content) });

/** A pool like that of a function; closed after the test. */
async function opened() {
  const pool = await openPool();
  onTestFinished(() => pool.end());
  return pool;
}

/** Ends the pool's connections, as a failover of the database does. */
async function breakConnections() {
  await bank.admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
}

describe("the pool of a function", () => {
  test("connects as its environment and its secret say", async () => {
    const pool = await opened();
    const { rows } = await pool.query<{ who: string; where: string }>(
      `select current_user as who, current_database() as "where"`,
    );
    expect(rows).toEqual([{ who: bank.database.as("monolith_application").user, where: bank.database.name }]);
    expect(secrets.commandCalls(GetSecretValueCommand)[0]!.args[0].input).toEqual({ SecretId: "arn:secret" });
  });

  test("reads the secret again for each further connection, so that a rotated password is found", async () => {
    const { user, password } = bank.database.as("monolith_application");
    secret({ username: user, password: "before the rotation" });
    const pool = await opened();
    await expect(pool.query("select 1")).rejects.toMatchObject({ code: "28P01" });
    secret({ username: user, password });
    await pool.query("select 1");
    expect(secrets.commandCalls(GetSecretValueCommand)).toHaveLength(2);
  });

  test("has two connections at most", async () => {
    const pool = await opened();
    const backends = await Promise.all(
      Array.from({ length: 6 }, () => pool.query<{ pid: number }>("select pg_backend_pid() as pid")),
    );
    expect(new Set(backends.map(({ rows }) => rows[0]!.pid)).size).toBeLessThanOrEqual(2);
  });

  test("ends a statement that waits for ten seconds", async () => {
    const pool = await opened();
    const { rows } = await pool.query<{ statement_timeout: string }>("show statement_timeout");
    expect(rows).toEqual([{ statement_timeout: "10s" }]);
  });

  test("survives that an idle connection breaks, logs it, and makes a new one", async () => {
    const pool = await opened();
    await pool.query("select 1");
    const broken = new Promise((resolve) => pool.once("error", resolve));
    await breakConnections();
    await broken;
    expect((await pool.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    expect(log).toContainEqual({
      level: "warn",
      message: "An idle database connection broke",
      reason: expect.stringContaining("terminating connection") as string,
    });
  });

  test.each(["", "no json", "null", "[]", '{"username":"a"}', '{"username":"a","password":5}'])(
    "is not opened with the malformed secret %j, whose content is not told",
    async (content) => {
      secret(content);
      await expect(openPool()).rejects.toMatchObject({
        code: "DATABASE_SECRET_MALFORMED",
        message:
          'The secret "arn:secret" is not JSON with "username" and "password". Store it as Secrets Manager stores database credentials.',
      });
    },
  );

  test("is not opened without its environment", async () => {
    vi.stubEnv("DATABASE_SECRET_ARN", undefined);
    await expect(openPool()).rejects.toMatchObject({ code: "VARIABLE_MISSING" });
  });
});

describe("statements with parameters", () => {
  /** What the connection has prepared. */
  const prepared = async (pool: Awaited<ReturnType<typeof opened>>) =>
    (await pool.query<{ statement: string }>("select statement from pg_prepared_statements")).rows.map(
      ({ statement }) => statement,
    );

  test("are prepared once a connection", async () => {
    const pool = await opened();
    for (const value of [1, 2, 3]) {
      expect((await pool.query("select $1::int as value", [value])).rows).toEqual([{ value }]);
    }
    expect(await prepared(pool)).toEqual(["select $1::int as value"]);
  });

  test("that read all columns go on working when a migration adds one", async () => {
    const pool = await opened();
    const client = await pool.connect();
    try {
      const read = () => client.query("select * from accounts where account_id = $1", [uuid()]);
      await read();
      await bank.admin.query("alter table accounts add column if not exists added_later text");
      expect((await read()).fields.map(({ name }) => name)).toContain("added_later");
      await read();
    } finally {
      client.release();
    }
  });

  test("fail at most once in a transaction when a migration adds a column, with the database's error", async () => {
    const pool = await opened();
    const client = await pool.connect();
    try {
      const read = () => client.query("select * from accounts where account_id = $1", [uuid()]);
      await read();
      await bank.admin.query("alter table accounts add column if not exists added_even_later text");
      await client.query("begin");
      await expect(read()).rejects.toMatchObject({ code: "0A000" });
      await client.query("rollback");
      await client.query("begin");
      await read();
      await client.query("commit");
    } finally {
      client.release();
    }
  });

  test("keep their own errors", async () => {
    const pool = await opened();
    const client = await pool.connect();
    try {
      for (const _ of [1, 2]) {
        await expect(client.query("select 1 / $1::int", [0])).rejects.toMatchObject({ code: "22012" });
      }
    } finally {
      client.release();
    }
  });
});

describe("the store of the monolith", () => {
  const projection: ProjectionHandle<{ owner: string }> = {
    find: async (id) => ({ owner: `projected ${id}` }),
  };

  test("gives handles for what is used and commits what they stage", async () => {
    const store = openPostgresStore(() => () => projection);
    const handles = store.handles({ accounts: pgAccounts, others: project(Account, () => ({})) });
    // As `HandlesOf` types them for commands.
    const accounts = handles["accounts"] as unknown as PostgresHandle<"accounts", typeof pgAccounts>;
    const accountId = uuid();
    const staged = accounts.change("AccountOpened", {}, (change) =>
      change.insert({ account_id: accountId, owner: "Ada", balance: 0, grade: "gold" }),
    );
    expect(await store.commit([staged], { correlationId: "request-1" })).toMatchObject({
      outcome: "committed",
      changes: [{ id: accountId, version: 1 }],
    });
    expect(await accounts.find(accountId)).toMatchObject({ owner: "Ada", version: 1 });
    expect(await (handles["others"] as typeof projection).find("x")).toEqual({ owner: "projected x" });
    await breakConnections();
  });

  test("reads the secret only when it is used, and again when that failed", async () => {
    secrets.on(GetSecretValueCommand).rejectsOnce(new Error("Throttled"));
    const store = openPostgresStore();
    const { accounts } = store.handles({ accounts: pgAccounts }) as unknown as {
      accounts: PostgresHandle<"accounts", typeof pgAccounts>;
    };
    expect(secrets.commandCalls(GetSecretValueCommand)).toHaveLength(0);
    await expect(accounts.find(uuid())).rejects.toThrow("Throttled");
    secret({ ...credentials() });
    expect(await accounts.find(uuid())).toBeUndefined();
    await breakConnections();
  });

  test("refuses a projection where the module has none", () => {
    const store = openPostgresStore();
    expect(() => store.handles({ others: project(Account, () => ({})) })).toThrow(
      expect.objectContaining({ code: "PROJECTION_UNKNOWN" }),
    );
  });

  function credentials() {
    const { user, password } = bank.database.as("monolith_application");
    return { username: user, password };
  }
});
