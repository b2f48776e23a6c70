import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { mockClient } from "aws-sdk-client-mock";
import { v7 as uuid } from "uuid";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { project, withKysely } from "../../../runtime";
import type { KyselyHandle, ProjectionHandle } from "../../../runtime/define/handles";
import { readEnvironment } from "../../../runtime/function/handler";
import { openPool, POOL_VARIABLES } from "../../../runtime/postgres/pool";
import { type ProjectionOpener, postgresStore } from "../../../runtime/postgres/store";
import { Account, type AccountHandle, accounts, newAccount } from "../../support/domain/account";
import { type BankDatabase, bankDatabase } from "../../support/postgres/bank-database";
import { capturedLog } from "../../support/process/captured-log";

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
  vi.stubEnv("PROJECTION_TABLES", "{}");
});

const secret = (content: unknown) =>
  secrets
    .on(GetSecretValueCommand)
    .resolves({ SecretString: typeof content === "string" ? content : JSON.stringify(content) });

/** A pool like that of a function; closed after the test. */
async function opened() {
  const pool = await openPool(readEnvironment(POOL_VARIABLES));
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
      code: "57P01",
      reason: expect.stringContaining("terminating connection") as string,
    });
  });

  test.each(["", "no json", "null", "[]", '{"username":"a"}', '{"username":"a","password":5}'])(
    "is not opened with the malformed secret %j, whose content is not quoted",
    async (content) => {
      secret(content);
      await expect(openPool(readEnvironment(POOL_VARIABLES))).rejects.toMatchObject({
        code: "DATABASE_SECRET_MALFORMED",
        message:
          'The secret "arn:secret" is not JSON with "username" and "password". Store it as Secrets Manager stores database credentials.',
      });
    },
  );
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
  const others = project(Account, ({ owner }) => ({ owner }));
  const opened = (projections?: ProjectionOpener) => {
    const { variables, open } = postgresStore(projections);
    return open(readEnvironment(variables));
  };

  test("gives handles for what is used and commits what they describe", async () => {
    const find = async (id: string) => ({ owner: `projected ${id}` });
    const projection: ProjectionHandle<{ owner: string }> = { find, get: find, where: async () => [] };
    const store = opened(() => () => projection);
    const accountId = uuid();
    const handles = store.handles({ accounts, others });
    // As `HandlesOf` types it for commands.
    const staged = (handles["accounts"] as AccountHandle)
      .create(newAccount(accountId))
      .raise("AccountOpened");
    expect(await store.commit([staged], { correlationId: "request-1" })).toMatchObject({
      outcome: "committed",
      changes: [{ id: accountId, version: 1 }],
    });
    expect(await (handles["accounts"] as AccountHandle).get(accountId)).toMatchObject({ version: 1 });
    expect(handles["others"]).toBe(projection);
    await breakConnections();
  });

  test("gives Kysely's builders only where a table is used with them", async () => {
    const store = opened();
    const plain = store.handles({ accounts })["accounts"];
    const verbs = ["create", "find", "get", "remove", "update", "where"];
    expect(Object.keys(plain as object).sort()).toEqual(verbs);
    const kysely = store.handles({ accounts: withKysely(accounts) })["accounts"];
    expect(Object.keys(kysely as object).sort()).toEqual([...verbs, "change", "select"].sort());
    const accountId = uuid();
    const typed = kysely as KyselyHandle<"accounts", typeof accounts>;
    const staged = typed.change((table) => table.insert(newAccount(accountId))).raise("AccountOpened");
    expect(await store.commit([staged], { correlationId: "request-1" })).toMatchObject({
      outcome: "committed",
    });
    expect(await typed.select().select("owner").where("accountId", "=", accountId).execute()).toEqual([
      { owner: `owner of ${accountId}` },
    ]);
    await breakConnections();
  });

  test("makes the handles for a function's uses once", () => {
    const store = opened();
    const uses = { accounts };
    expect(store.handles(uses)).toBe(store.handles(uses));
    expect(store.handles({ accounts })).not.toBe(store.handles(uses));
  });

  test("reads the secret only when it is used, and again when that failed", async () => {
    secrets.on(GetSecretValueCommand).rejectsOnce(new Error("Throttled"));
    const handle = opened().handles({ accounts })["accounts"] as AccountHandle;
    expect(secrets.commandCalls(GetSecretValueCommand)).toHaveLength(0);
    await expect(handle.find(uuid())).rejects.toThrow("Throttled");
    const { user, password } = bank.database.as("monolith_application");
    secret({ username: user, password });
    expect(await handle.find(uuid())).toBeUndefined();
    await breakConnections();
  });

  test("refuses a projection where the module has none", () => {
    expect(() => opened().handles({ others })).toThrow(
      expect.objectContaining({ code: "PROJECTION_UNKNOWN" }),
    );
  });
});
