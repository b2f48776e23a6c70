import { typeParsers } from "./json";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { Pool, type PoolClient } from "pg";
import { codedError, errorCode } from "../function/coded-error";
import type { Environment } from "../function/handler";
import { log } from "../function/log";
import { watchConnections } from "./connections";
import { checkTime, type Deadlines } from "./deadlines";
import { hideValues } from "./hide-values";
import { prepareStatements } from "./prepared-statements";

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
 * it opens a connection, so a rotated password or user needs no deployment.
 *
 * @param deadlines bounds the statements of the work that is running. @default no work has a deadline
 * @throws DATABASE_SECRET_MALFORMED, and the SDK's and pg's own errors
 */
export async function openPool(environment: Environment<PoolVariable>, deadlines?: Deadlines): Promise<Pool> {
  const secretId = environment.DATABASE_SECRET_ARN;
  const client = new SecretsManagerClient({});
  const read = async () => {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
    return credentialsOf(SecretString ?? "", secretId);
  };
  const first = await read();
  let unused: Credentials | undefined = first;
  /** The user of the next connection: the one that is being opened has named its user already. */
  const login = { user: first.username };
  const pool = new Pool({
    types: typeParsers(),
    host: environment.DATABASE_HOST,
    port: Number(environment.DATABASE_PORT),
    database: environment.DATABASE_NAME,
    ssl: environment.DATABASE_TLS === "disable" ? false : { rejectUnauthorized: true },
    user: first.username,
    password: async () => {
      const { username, password } = unused ?? (await read());
      unused = undefined;
      login.user = username;
      return password;
    },
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    statement_timeout: STATEMENT_TIMEOUT_MILLISECONDS,
    keepAlive: true,
  });
  // Without a listener, an idle connection that breaks would end the process. The pool opens a new one.
  pool.on("error", (error) => log("warn", "An idle database connection broke", { reason: error.message }));
  return prepareStatements(watchConnections(connectAgain(hideValues(pool), login, deadlines), deadlines));
}

/** SQLSTATEs: invalid_authorization_specification, invalid_password. */
const LOGIN_REFUSED = ["28000", "28P01"];
/** SQLSTATE with which PgBouncer refuses a startup parameter that it does not know. */
const PROTOCOL_VIOLATION = "08P01";

/**
 * Makes a pool connect once more where another attempt can succeed: with the user of a secret that was rotated,
 * or without the startup parameter `statement_timeout`, which PgBouncer refuses unless its
 * `ignore_startup_parameters` names it. Statements are then bounded by the client alone.
 */
function connectAgain(pool: Pool, login: { user: string }, deadlines: Deadlines | undefined): Pool {
  const connect = pool.connect.bind(pool) as (...args: unknown[]) => unknown;
  const again = async (): Promise<PoolClient> => {
    checkTime(deadlines);
    pool.options.user = login.user;
    try {
      return (await connect()) as PoolClient;
    } catch (error) {
      const code = errorCode(error) ?? "";
      const isParameter = code === PROTOCOL_VIOLATION && /statement_timeout/.test((error as Error).message);
      if (isParameter) pool.options.statement_timeout = false;
      if (!isParameter && !LOGIN_REFUSED.includes(code)) throw error;
      pool.options.user = login.user;
      return (await connect()) as PoolClient;
    }
  };
  // With a callback, as the pool's own `query` calls it, it passes through unchanged.
  pool.connect = ((...args: unknown[]) => (args.length > 0 ? connect(...args) : again())) as Pool["connect"];
  return pool;
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
