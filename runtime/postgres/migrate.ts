import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runner } from "node-pg-migrate";
import type { RunnerOption } from "node-pg-migrate";
import { Client } from "pg";
import { codedError, errorCode } from "../function/coded-error";
import type { AnyDomain } from "../define/domain";
import { isRaised, withoutValues } from "../function/private-values";
import { adoptEarlierMigrations } from "./adopt-migrations";
import { checkEncoding } from "./check-encoding";
import { moduleTables, registerContracts } from "./contracts";
import { grantModuleRights } from "./module-rights";
import { DOMAIN_MIGRATIONS_TABLE, FRAMEWORK_MIGRATIONS_TABLE } from "./names";
import { restoreSlot } from "./restore-slot";

/** The database to migrate, and the migrations. */
export interface MigrateOptions {
  /** A user that may create roles and objects, and slots (superuser, or on RDS the master user). */
  databaseUrl: string;
  /** The folder of the teams' migrations, compiled; it need not exist. */
  domainMigrations: string;
  /** Takes a line for each migration and each notice of the database. @default silent */
  report?: (line: string) => void;
}

/** A sequence of migrations, with its own numbers and its own table. */
export type Sequence = "framework" | "domains";

/** A migration that was run or undone. */
export interface Migration {
  sequence: Sequence;
  /** E.g. "0001_customers". */
  name: string;
}

/**
 * Runs every migration that has not been run: first the framework's (roles, outbox, inbox, guard, slot), then
 * the teams'. Each runs in its own transaction. Concurrent runs on one database wait for each other; the
 * later ones find nothing left to do. The records of a database of version 0.1, which had one sequence, are
 * moved to the two sequences first. A slot that is missing although its migration was run is created again, and
 * reported.
 * Then the modules' tables are compared with what the modules register, and
 * their contracts are registered: from then on, the database accepts only events that fit them. Each module's role
 * gets its rights.
 *
 * @param options.domains all domains of the project
 * @returns the migrations that this call ran, in order
 * @throws DATABASE_UNREACHABLE; DATABASE_NOT_UTF8; MIGRATION_MISNAMED; MIGRATION_FAILED, with the database's error
 *   as its cause: the failed migration is rolled back, earlier ones stay; TABLES_DIFFER: the
 *   migrations stay
 */
export function migrateUp(options: MigrateOptions & { domains: readonly AnyDomain[] }): Promise<Migration[]> {
  return withDatabase(options, "up", async (client) => {
    await checkEncoding(client, databaseOf(options));
    await adoptEarlierMigrations(client);
    const framework = await run(client, options, { sequence: "framework", direction: "up" });
    await restoreSlot(client, options.report ?? (() => {}));
    const domains = await run(client, options, { sequence: "domains", direction: "up" });
    await client.query(`alter table if exists public.${DOMAIN_MIGRATIONS_TABLE} owner to monolith_migration`);
    await registerContracts(client, moduleTables(options.domains));
    await grantModuleRights(client, options.domains, options.report);
    return [...framework, ...domains];
  });
}

/**
 * Undoes the last `count` migrations of a sequence, newest first. All data in the tables that they created is
 * lost.
 *
 * @param options.sequence the framework's can be undone only after all of the teams'. @default "domains"
 * @returns the migrations that this call undid, in that order
 * @throws as {@link migrateUp}; FRAMEWORK_IN_USE
 */
export function migrateDown(
  options: MigrateOptions & { count: number; sequence?: Sequence },
): Promise<Migration[]> {
  const { count, sequence = "domains" } = options;
  return withDatabase(options, "down", async (client) => {
    await adoptEarlierMigrations(client);
    if (sequence === "framework") await checkNoDomains(client);
    return run(client, options, { sequence, direction: "down", count });
  });
}

/**
 * The advisory lock, an arbitrary number: node-pg-migrate's own would also wait for other programs in the
 * database.
 */
const LOCK = 4_712_005_301;

/** Errors that say themselves what was found and what was done. */
const REFUSALS = [
  "DATABASE_NOT_UTF8",
  "MIGRATION_MISNAMED",
  "FRAMEWORK_IN_USE",
  "TABLES_DIFFER",
  "FIELD_UNUSABLE",
];

const FRAMEWORK_MIGRATIONS = join(__dirname, "migrations");

async function withDatabase(
  options: MigrateOptions,
  direction: "up" | "down",
  work: (client: Client) => Promise<Migration[]>,
): Promise<Migration[]> {
  const { databaseUrl, report = () => {} } = options;
  const client = new Client({
    connectionString: databaseUrl,
    application_name: "domain-consistency migrations",
  });
  client.on("error", () => {}); // a broken connection also fails the running statement
  client.on("notice", (notice) => report([notice.message, notice.hint].filter(Boolean).join(". ")));
  const database = databaseOf(options);
  await client.connect().catch((cause: unknown) => {
    throw codedError(
      "DATABASE_UNREACHABLE",
      `Cannot connect to database "${database}" to migrate it: ${reasonOf(cause)}`,
      { cause },
    );
  });
  try {
    // Held until the connection ends.
    await client.query("select pg_advisory_lock($1)", [LOCK]);
    return await work(client);
  } catch (cause) {
    if (REFUSALS.includes(errorCode(cause) ?? "")) throw cause;
    throw codedError(
      "MIGRATION_FAILED",
      `Cannot migrate database "${database}" ${direction}: ${reasonOf(cause)}`,
      { cause: withoutValues(cause) },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

function databaseOf({ databaseUrl }: MigrateOptions): string {
  return new URL(databaseUrl).pathname.slice(1);
}

interface Run {
  sequence: Sequence;
  direction: "up" | "down";
  count?: number;
}

async function run(
  client: Client,
  { domainMigrations, report = () => {} }: MigrateOptions,
  { sequence, direction, count }: Run,
): Promise<Migration[]> {
  const dir = sequence === "framework" ? FRAMEWORK_MIGRATIONS : domainMigrations;
  if (!existsSync(dir)) return [];
  checkNames(dir);
  const migrated = await runner({
    dbClient: client,
    dir,
    // Matches whole names of files that are not migrations, such as source maps and declarations.
    ignorePattern: "(?!\\d{4}_[a-z0-9_-]+\\.js$).*",
    migrationLoaderStrategies: [{ extensions: [".js"], loader: loadMigrations }],
    migrationsTable: sequence === "framework" ? FRAMEWORK_MIGRATIONS_TABLE : DOMAIN_MIGRATIONS_TABLE,
    schema: "public",
    direction,
    ...(count === undefined ? {} : { count }),
    singleTransaction: false,
    noLock: true,
    logger: { info: (line) => reportMigration(line, sequence, report), warn: () => {}, error: () => {} },
  });
  return migrated.map(({ name }) => ({ sequence, name }));
}

/** Without the outbox and the guard, no change of the teams' tables could be committed. */
async function checkNoDomains(client: Client): Promise<void> {
  const known = await client.query("select to_regclass($1) is not null as known", [
    `public.${DOMAIN_MIGRATIONS_TABLE}`,
  ]);
  if (!(known.rows[0] as { known: boolean }).known) return;
  const { rowCount } = await client.query(`select from public.${DOMAIN_MIGRATIONS_TABLE}`);
  if (!rowCount) return;
  throw codedError(
    "FRAMEWORK_IN_USE",
    `${rowCount} migration(s) of the domains are still applied, and their tables need the framework's. Undo those first (--down ${rowCount}).`,
  );
}

/** node-pg-migrate would silently skip a misnamed migration. */
function checkNames(dir: string): void {
  const misnamed = readdirSync(dir).find(
    (name) => name.endsWith(".js") && !/^\d{4}_[a-z0-9_-]+\.js$/.test(name),
  );
  if (misnamed === undefined) return;
  throw codedError(
    "MIGRATION_MISNAMED",
    `The migration "${misnamed.replace(/\.js$/, ".ts")}" is not named like "0001_customers.ts": four digits, then lower case letters, ` +
      "digits, _ and -. Rename it. Nothing was migrated.",
  );
}

type Loader = Exclude<NonNullable<RunnerOption["migrationLoaderStrategies"]>[number]["loader"], string>;
type Actions = Awaited<ReturnType<Loader>>[number]["actions"];

// The files are compiled: the package's own loader would start a TypeScript compiler for them.
const loadMigrations: Loader = (paths) =>
  Promise.all(
    paths.map(async (path) => ({
      id: path,
      filePaths: [path],
      actions: (await import(pathToFileURL(path).href)) as Actions,
    })),
  );

function reportMigration(line: string, sequence: Sequence, report: (line: string) => void): void {
  const [, name, direction] = /^### MIGRATION (\S+) \((UP|DOWN)\) ###$/.exec(line) ?? [];
  if (name !== undefined) report(`${direction === "UP" ? "Migrating" : "Undoing"} ${sequence}/${name}`);
}

/** What a migration raises itself is for whoever runs it. */
function reasonOf(error: unknown): string {
  const { hint } = error as { hint?: string };
  const { message } = isRaised(error) ? (error as Error) : withoutValues(error);
  return `${message || errorCode(error) || String(error)}${hint ? `. ${hint}` : ""}`;
}
