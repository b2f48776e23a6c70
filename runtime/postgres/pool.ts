import { typeParsers } from "./json";
import { createHash } from "node:crypto";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { Pool, type PoolClient } from "pg";
import { codedError, errorCode } from "../function/coded-error";
import type { Environment } from "../function/handler";
import { log } from "../function/log";
import { loggedReason } from "../function/private-values";
import { CONNECTION_LOST } from "../store/retries";
import { hideValues } from "./hide-values";

/**
 * A function runs one request at a time; the second connection is for a read beside a running transaction.
 */
const MAX_CONNECTIONS = 2;
const CONNECT_TIMEOUT_MILLISECONDS = 5_000;
/** The runtime's statements take far less; a longer wait for a lock is reported as an error. */
const STATEMENT_TIMEOUT_MILLISECONDS = 10_000;

/** The variables that name the database. */
export const POOL_VARIABLES = [
  "DATABASE_HOST",
  "DATABASE_PORT",
  "DATABASE_NAME",
  "DATABASE_TLS",
  "DATABASE_SECRET_ARN",
] as const;
export type PoolVariable = (typeof POOL_VARIABLES)[number];

interface Credentials {
  username: string;
  password: string;
}

/**
 * Opens a pool of connections to the monolith's database. It reads the credentials from Secrets Manager when
 * it opens a connection, so a rotated password needs no deployment.
 *
 * @throws DATABASE_SECRET_MALFORMED, and the SDK's and pg's own errors
 */
export async function openPool(environment: Environment<PoolVariable>): Promise<Pool> {
  const secretId = environment.DATABASE_SECRET_ARN;
  const client = new SecretsManagerClient({});
  const read = async () => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
    return credentialsOf(SecretString ?? "", secretId);
  };
  const first = await read();
  let unused: Credentials | undefined = first;
  const pool = new Pool({
    types: typeParsers(),
    host: environment.DATABASE_HOST,
    port: Number(environment.DATABASE_PORT),
    database: environment.DATABASE_NAME,
    ssl: environment.DATABASE_TLS === "disable" ? false : { rejectUnauthorized: true },
    user: first.username,
    password: async () => {
      const { password } = unused ?? (await read());
      unused = undefined;
      return password;
    },
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    statement_timeout: STATEMENT_TIMEOUT_MILLISECONDS,
  });
  // Without a listener, an idle connection that breaks would end the process. The pool opens a new one.
  pool.on("error", (error) => log("warn", "An idle database connection broke", loggedReason(error)));
  return prepareStatements(hideValues(reportLostConnections(pool)));
}

function credentialsOf(secret: string, secretId: string): Credentials {
  try {
    const { username, password } = JSON.parse(secret) as Partial<Credentials>;
    if (typeof username === "string" && typeof password === "string") return { username, password };
  } catch {
    // Reported below, without the secret's content.
  }
  throw codedError(
    "DATABASE_SECRET_MALFORMED",
    `The secret "${secretId}" is not JSON with "username" and "password". Store it as Secrets Manager stores database credentials.`,
  );
}

/**
 * SQLSTATEs with which a server, or a pooler in front of it, ends a connection: connection exceptions,
 * operator intervention.
 */
const CONNECTION_ENDED = /^(08|57P)/;

/**
 * Makes every statement that loses its connection fail with CONNECTION_LOST, whatever broke it: whether the
 * server ran the statement is then unknown. A connection that could not be opened keeps its own error,
 * because nothing was sent.
 */
export function reportLostConnections(pool: Pool): Pool {
  pool.on("connect", (client: PoolClient) => {
    let broken: Error | undefined;
    // The pool listens only to idle connections. Without a listener, one that breaks while in use would end
    // the process.
    client.on("error", (error) => {
      broken = error;
    });
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const failed = (error: unknown) => {
      const isAnswer = typeof (error as { severity?: unknown }).severity === "string";
      const isLost = isAnswer ? CONNECTION_ENDED.test(errorCode(error) ?? "") : broken !== undefined;
      throw isLost ? connectionLost(error) : error;
    };
    const reporting = (...args: unknown[]) => {
      const result = query(...args);
      return result instanceof Promise ? result.catch(failed) : result;
    };
    // All of pg's overloads pass through.
    client.query = reporting as typeof client.query;
  });
  return pool;
}

function connectionLost(cause: unknown) {
  const { message } = cause as Error;
  return codedError(
    CONNECTION_LOST,
    `The connection to the database broke before it answered: ${message}. Anything uncommitted is rolled back; try again.`,
    { cause },
  );
}

/**
 * Statement texts that are prepared per connection; a program has some dozens, and each takes memory on the
 * server.
 */
const MAX_PREPARED_STATEMENTS = 200;

/** SQLSTATE: feature_not_supported, here "cached plan must not change result type". */
const RESULT_TYPE_CHANGED = "0A000";

/**
 * Makes every connection of a pool prepare each statement text once and then run it by name: parsing and
 * planning are most of the server's cost of a small statement (`npm run bench` shows the ratio).
 */
export function prepareStatements(pool: Pool): Pool {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known ?? names.size >= MAX_PREPARED_STATEMENTS) return known;
    // A text has the same name in every process, so that a pooler in between cannot mix two texts up.
    const name = createHash("sha256").update(text).digest("hex").slice(0, 32);
    names.set(text, name);
    return name;
  };
  pool.on("connect", (client: PoolClient) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    // A migration that adds a column makes a prepared "select *" permanently unusable on this connection.
    const outdated = new Set<string>();
    const runPrepared = async (name: string, text: string, values: unknown[]) => {
      try {
        return await query({ name, text, values });
      } catch (error) {
        if (errorCode(error) !== RESULT_TYPE_CHANGED) throw error;
        outdated.add(text);
        // Nothing was run. A transaction is lost anyway; its next attempt finds the statement outdated.
        if (client.getTransactionStatus() !== "I") throw error;
        return query(text, values);
      }
    };
    const named = (text: unknown, values: unknown, ...rest: unknown[]) => {
      const isStatement = typeof text === "string" && Array.isArray(values) && values.length > 0;
      const name = isStatement && !outdated.has(text) ? nameOf(text) : undefined;
      if (!isStatement || !name) return query(text, values, ...rest);
      return rest.length > 0 ? query({ name, text, values }, ...rest) : runPrepared(name, text, values);
    };
    // One of pg's overloads is replaced; the others pass through unchanged.
    client.query = named as typeof client.query;
  });
  return pool;
}
