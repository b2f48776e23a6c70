/**
 * vitest globalSetup: one PostgreSQL server for all test files, with a migrated template that `freshDatabase`
 * clones, and a login for each role. Tests access it by `sharedPostgres()`.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import type { TestProject } from "vitest/node";
import { startGuardian } from "../../../dist/local/servers/run/guardian.js";
import { startPostgres } from "../../../dist/local/servers/postgres/start-postgres.js";
import { openRunDirectory } from "../../../dist/local/servers/run/run-directory.js";
import { migrateUp } from "../../../dist/runtime/postgres/migrate.js";
import { FIXTURE_MIGRATIONS, fixtureDomains } from "./fixture-migrations";

/** A role of the monolith's database. */
export type Role = "monolith_migration" | "monolith_application" | "monolith_capture" | "monolith_retention";

/** The data that the setup provides to the test files. */
export interface ProvidedPostgres {
  /** A superuser's URL of the server's maintenance database. */
  adminUrl: string;
  /** A migrated database without a slot. To be cloned, it must have no connections. */
  template: string;
  /** A login for each role. */
  logins: Record<Role, { user: string; password: string }>;
}

declare module "vitest" {
  interface ProvidedContext {
    postgres: ProvidedPostgres;
  }
}

const ROLES: Role[] = [
  "monolith_migration",
  "monolith_application",
  "monolith_capture",
  "monolith_retention",
];

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const run = await openRunDirectory(join(__dirname, "..", "..", ".."));
  const guardian = startGuardian(run);
  const server = await startPostgres({ run, report: () => {} });
  const template = await server.createDatabase("template");
  await migrateUp({
    databaseUrl: server.adminUrl(template),
    domainMigrations: FIXTURE_MIGRATIONS,
    domains: fixtureDomains(),
  });
  const logins = await prepare(server.adminUrl(template), template);
  project.provide("postgres", { adminUrl: server.adminUrl(), template, logins });
  return async () => {
    await dropLogins(server.adminUrl(), logins);
    await server.stop();
    await guardian.dismiss();
    await run.close();
  };
}

async function prepare(url: string, template: string): Promise<ProvidedPostgres["logins"]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // Nobody reads the slot, and it would retain the server's write-ahead log.
    await client.query("select pg_drop_replication_slot($1)", [`${template}_outbox`]);
    const logins = {} as ProvidedPostgres["logins"];
    // Separate users, because the roles of the server that DATABASE_URL names must keep their passwords.
    for (const role of ROLES) {
      const user = `${role}_${randomBytes(4).toString("hex")}`;
      const password = randomBytes(12).toString("hex");
      const replication = role === "monolith_capture" ? "replication" : "";
      await client.query(
        `create role ${escapeIdentifier(user)} login ${replication} password ${escapeLiteral(password)} in role ${role}`,
      );
      logins[role] = { user, password };
    }
    return logins;
  } finally {
    await client.end();
  }
}

async function dropLogins(url: string, logins: ProvidedPostgres["logins"]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const { user } of Object.values(logins))
      await client.query(`drop role if exists ${escapeIdentifier(user)}`);
  } finally {
    await client.end();
  }
}
