import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { migrateUp } from "../../runtime/postgres/migrate";
import type { PostgresServer } from "../servers/postgres/postgres";

/** A login of the monolith's database. */
export interface Login {
  username: string;
  password: string;
}

/** The monolith's database of a run, migrated. */
export interface LocalDatabase {
  host: string;
  port: number;
  name: string;
  /** A superuser's URL, for the checks. */
  adminUrl: string;
  /** In the role monolith_application: what commands log in as. */
  application: Login;
  /** In the role monolith_capture: what change data capture logs in as. */
  capture: Login;
  /** In the role monolith_retention: what retention logs in as. */
  retention: Login;
  /** Drops the logins, which would outlive the database on a server that is not the run's own. */
  close(): Promise<void>;
}

/**
 * Makes and migrates the database of a run, with a login for each role that needs one.
 *
 * @param domainMigrations the folder of the modules' migrations, compiled
 */
export async function prepareDatabase(
  postgres: PostgresServer,
  domainMigrations: string,
): Promise<LocalDatabase> {
  const name = await postgres.createDatabase("monolith");
  const adminUrl = postgres.adminUrl(name);
  await migrateUp({ databaseUrl: adminUrl, domainMigrations });
  const application = newLogin(`${name}_application`);
  const capture = newLogin(`${name}_capture`);
  const retention = newLogin(`${name}_retention`);
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

/** The address of the database for one of its logins, as psql takes it. */
export function databaseUrl(database: LocalDatabase, { username, password }: Login): string {
  return `postgres://${username}:${password}@${database.host}:${database.port}/${database.name}`;
}

/** Both parts are of letters, digits and underscores: they stand in statements that take no parameters. */
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
