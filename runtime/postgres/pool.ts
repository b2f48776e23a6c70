import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { Pool } from "pg";
import { codedError } from "../function/coded-error";
import type { Environment } from "../function/environment";
import { log } from "../function/log";
import { tellLostConnections } from "./lost-connections";
import { prepareStatements } from "./prepared-statements";

/** A function runs one request at a time; the second connection is for a read beside a running transaction. */
const MAX_CONNECTIONS = 2;
const CONNECT_TIMEOUT_MILLISECONDS = 5_000;
/** No statement of ours takes longer; a lock that is waited for longer is a fault to be told. */
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
 * Opens a pool of connections to the monolith's database. The credentials come from Secrets Manager when a connection is made, so
 * a rotated password is found without a new deployment.
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
  // Without a listener a connection that breaks while it is idle would end the process; the pool makes a new one.
  pool.on("error", (error) => log("warn", "An idle database connection broke", { reason: error.message }));
  return prepareStatements(tellLostConnections(pool));
}

function credentialsOf(secret: string, secretId: string): Credentials {
  try {
    const { username, password } = JSON.parse(secret) as Partial<Credentials>;
    if (typeof username === "string" && typeof password === "string") return { username, password };
  } catch {
    // told below, without the secret's content
  }
  throw codedError(
    "DATABASE_SECRET_MALFORMED",
    `The secret "${secretId}" is not JSON with "username" and "password". Store it as Secrets Manager stores database credentials.`,
  );
}
