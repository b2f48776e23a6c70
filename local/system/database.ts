import { randomBytes } from "node:crypto";
import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { Client } from "pg";
import type { AnyDomain } from "../../runtime/define/domain";
import { migrateUp } from "../../runtime/postgres/migrate";
import { slotPosition } from "../../runtime/postgres/slot-position";
import type { EmulatorClients } from "../provision/emulator-clients";
import type { PostgresServer } from "../servers/postgres/postgres";

/** A login of the monolith's database. */
export interface Login {
  username: string;
  password: string;
}

/** The migrated monolith database of a run. */
export interface LocalDatabase {
  host: string;
  port: number;
  name: string;
  /** A superuser's URL, for checks. */
  adminUrl: string;
  /** From where the slot of change data capture has the changes. */
  captureStartPosition: string;
  /** The login of commands and reactions, in the role monolith_application. */
  application: Login;
  /** The login of change data capture, in the role monolith_capture. */
  capture: Login;
  /** The login of retention, in the role monolith_retention. */
  retention: Login;
  /** Drops the logins, which would outlive the database on the user's own server. */
  close(): Promise<void>;
}

/**
 * Creates and migrates the database of a run, with a login for each role that needs one.
 *
 * @param domainMigrations the folder of the modules' migrations, compiled
 * @param domains all domains
 */
export async function prepareDatabase(
  postgres: PostgresServer,
  domainMigrations: string,
  domains: readonly AnyDomain[],
): Promise<LocalDatabase> {
  const name = await postgres.createDatabase("monolith");
  const adminUrl = postgres.adminUrl(name);
  await migrateUp({ databaseUrl: adminUrl, domainMigrations, domains });
  const { position } = (await slotPosition(adminUrl)) ?? { position: "" };
  // With a suffix: `monolith_application` etc. are the roles of the migrations.
  const application = newLogin(`${name}_application_login`);
  const capture = newLogin(`${name}_capture_login`);
  const retention = newLogin(`${name}_retention_login`);
  await asAdmin(adminUrl, [
    `create role ${application.username} login password '${application.password}' in role monolith_application`,
    `create role ${capture.username} login replication password '${capture.password}' in role monolith_capture`,
    `create role ${retention.username} login password '${retention.password}' in role monolith_retention`,
  ]);
  return {
    host: postgres.host,
    port: postgres.port,
    name,
    adminUrl,
    captureStartPosition: position,
    application,
    capture,
    retention,
    async close() {
      if (!postgres.external) return;
      const logins = [application, capture, retention];
      await asAdmin(
        postgres.adminUrl(),
        logins.map(({ username }) => `drop role ${username}`),
      );
    },
  };
}

/** The URL of the database for one of its logins. */
export function databaseUrl(database: LocalDatabase, { username, password }: Login): string {
  return `postgres://${username}:${password}@${database.host}:${database.port}/${database.name}`;
}

/**
 * Both parts consist of letters, digits and underscores, because they go into statements that take no
 * parameters.
 */
function newLogin(username: string): Login {
  return { username, password: randomBytes(16).toString("hex") };
}

async function asAdmin(url: string, statements: string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** ARNs of the secrets that the program is configured with. */
export interface SecretArns {
  application: string;
  capture: string;
  retention: string;
}

/**
 * Stores the database's logins in Secrets Manager, where the program expects them, as an operator does on
 * AWS.
 */
export async function storeSecrets(
  { secrets }: Pick<EmulatorClients, "secrets">,
  database: LocalDatabase,
): Promise<SecretArns> {
  const { host, port, name: dbname } = database;
  const store = async (name: string, secret: object) => {
    const created = await secrets.send(
      new CreateSecretCommand({ Name: `${dbname}/${name}`, SecretString: JSON.stringify(secret) }),
    );
    return created.ARN ?? "";
  };
  const [application, capture, retention] = await Promise.all([
    store("application", database.application),
    store("capture", { ...database.capture, host, port, dbname }),
    store("retention", database.retention),
  ]);
  return { application, capture, retention };
}
