/** Databases for tests, on one real PostgreSQL server that all test files share. */
import { randomBytes } from "node:crypto";
import { Client, escapeIdentifier } from "pg";
import { afterAll, inject } from "vitest";
import { dropRunDatabase } from "../../../dist/local/servers/run/clean-up.js";
import type { ProvidedPostgres, Role } from "./global-postgres.js";

/** A database of one test or test file. */
export interface FreshDatabase {
  name: string;
  /** The URL of a superuser. */
  url: string;
  host: string;
  port: number;
  /** The URL of a user in the role. */
  as(role: Role): { url: string; user: string; password: string };
  /** Drops the database with its slots. Called after the test file; safe to call twice. */
  drop(): Promise<void>;
}

/** The server that all test files share (see global-postgres.ts). */
export function sharedPostgres(): ProvidedPostgres {
  return inject("postgres");
}

/**
 * Creates a separate database; it is dropped after the test file.
 *
 * @param options.slot creates the slot `<name>_outbox` as the migration does (a clone has none). @default
 *   false
 * @param options.migrated false for an empty database. @default true
 */
export async function freshDatabase({ slot = false, migrated = true } = {}): Promise<FreshDatabase> {
  const { adminUrl, template, logins } = sharedPostgres();
  const name = `test_${randomBytes(6).toString("hex")}`;
  const from = migrated ? template : "template0";
  await query(adminUrl, `create database ${escapeIdentifier(name)} template ${escapeIdentifier(from)}`);
  const url = urlOf(adminUrl, name);
  const database: FreshDatabase = {
    name,
    url,
    host: new URL(url).hostname,
    port: Number(new URL(url).port || "5432"),
    as: (role) => ({ url: urlOf(adminUrl, name, logins[role]), ...logins[role] }),
    async drop() {
      open.delete(database);
      await dropRunDatabase({ name, adminUrl });
    },
  };
  open.add(database);
  if (slot) await query(url, `select pg_create_logical_replication_slot('${name}_outbox', 'test_decoding')`);
  return database;
}

/** Connects; the connection is closed after the test file. */
export async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  clients.push(client);
  return client;
}

const open = new Set<FreshDatabase>();
const clients: Client[] = [];

afterAll(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})));
  for (const database of open) await database.drop();
});

async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

function urlOf(adminUrl: string, database: string, login?: { user: string; password: string }): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  if (login) Object.assign(url, { username: login.user, password: login.password });
  return url.href;
}
