import { randomBytes } from "node:crypto";
import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { Client, escapeIdentifier } from "pg";
import type { AnyDomain } from "../../runtime/define/domain";
import { codedError } from "../../runtime/function/coded-error";
import { migrateUp } from "../../runtime/postgres/migrate";
import { moduleRole } from "../../runtime/postgres/module-role";
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
  /** Module -> the login of its functions, in the module's role. */
  modules: Readonly<Record<string, Login>>;
  /** The login of change data capture, in the role monolith_capture. */
  capture: Login;
  /** The login of retention, in the role monolith_retention. */
  retention: Login;
}

/**
 * Creates and migrates the database of a run, with a login for each role that needs one. Their names begin with
 * the database's, by which they are dropped together with it (local/servers/run/clean-up.ts).
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
  const modules = Object.fromEntries(
    domains
      .filter(({ kind }) => kind === "monolith-module")
      .map((module, index) => [module.name, newLogin(`${name}_login_${index + 1}`)]),
  );
  const capture = newLogin(`${name}_login_capture`);
  const retention = newLogin(`${name}_login_retention`);
  await asAdmin(adminUrl, [
    ...Object.entries(modules).map(
      ([module, { username, password }]) =>
        `create role ${username} login password '${password}' in role ${escapeIdentifier(moduleRole(name, module))}`,
    ),
    `create role ${capture.username} login replication password '${capture.password}' in role monolith_capture`,
    `create role ${retention.username} login password '${retention.password}' in role monolith_retention`,
  ]);
  return {
    host: postgres.host,
    port: postgres.port,
    name,
    adminUrl,
    captureStartPosition: position,
    modules,
    capture,
    retention,
  };
}

/**
 * The URL of the database for a module's login.
 *
 * @throws MODULE_UNKNOWN
 */
export function moduleUrl(database: LocalDatabase, module: string): string {
  const login = database.modules[module];
  if (login) return databaseUrl(database, login);
  throw codedError(
    "MODULE_UNKNOWN",
    `There is no module "${module}" in the database; there are: ${Object.keys(database.modules).join(", ") || "none"}.`,
  );
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
  /** Module -> the secret of its login. */
  modules: Record<string, string>;
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
  const [modules, capture, retention] = await Promise.all([
    Promise.all(
      Object.entries(database.modules).map(
        async ([module, login]) => [module, await store(`module/${module}`, login)] as const,
      ),
    ),
    store("capture", { ...database.capture, host, port, dbname }),
    store("retention", database.retention),
  ]);
  return { modules: Object.fromEntries(modules), capture, retention };
}
