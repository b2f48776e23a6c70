import { pathToFileURL } from "node:url";
import { runner } from "node-pg-migrate";
import type { RunnerOption } from "node-pg-migrate";
import { Client } from "pg";
import { codedError, errorCode } from "../runtime/coded-error";

export interface MigrateOptions {
  /** A user that may create roles and objects, and slots (superuser, or on RDS the master user). */
  databaseUrl: string;
  /** Told one line for each migration that is run and each notice of the database. @default silent */
  report?: (line: string) => void;
}

/**
 * Runs every migration that has not been run, each in a transaction of its own. Runs of the same database wait for one
 * another, and the later ones find nothing left to do.
 *
 * @returns the names of the migrations that this call ran
 * @throws `DATABASE_UNREACHABLE`; `MIGRATION_FAILED`, with the database's error as its cause: the failed migration has left
 *   nothing behind, those before it stay
 */
export function migrateUp(options: MigrateOptions): Promise<string[]> {
  return migrate(options, "up");
}

/**
 * Undoes the last `count` migrations, newest first. Everything in the tables that they made is lost.
 *
 * @returns the names of the migrations that this call undid
 * @throws as {@link migrateUp}
 */
export function migrateDown(options: MigrateOptions & { count: number }): Promise<string[]> {
  return migrate(options, "down", options.count);
}

/** A number of our own, so that another program's node-pg-migrate in the same database is not waited for. */
const LOCK = 4_712_005_301;

async function migrate(
  { databaseUrl, report = () => {} }: MigrateOptions,
  direction: "up" | "down",
  count?: number,
): Promise<string[]> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: "domain-consistency migrations",
  });
  client.on("error", () => {}); // a broken connection also fails the statement under way
  client.on("notice", (notice) => report([notice.message, notice.hint].filter(Boolean).join(". ")));
  const database = new URL(databaseUrl).pathname.slice(1);
  await client.connect().catch((cause: unknown) => {
    throw codedError(
      "DATABASE_UNREACHABLE",
      `Cannot connect to database "${database}" to migrate it: ${reasonOf(cause)}`,
      { cause },
    );
  });
  try {
    const migrated = await runner({
      dbClient: client,
      dir: __dirname,
      // Whole file names that are no migrations: all but 0001_name.js.
      ignorePattern: "(?!\\d{4}_[a-z0-9_-]+\\.js$).*",
      migrationLoaderStrategies: [{ extensions: [".js"], loader: loadMigrations }],
      migrationsTable: "pgmigrations",
      schema: "public",
      direction,
      ...(count === undefined ? {} : { count }),
      singleTransaction: false,
      lockValue: LOCK,
      advisoryLockMode: "wait",
      logger: { info: (line) => reportMigration(line, report), warn: () => {}, error: () => {} },
    });
    return migrated.map(({ name }) => name);
  } catch (cause) {
    throw codedError(
      "MIGRATION_FAILED",
      `Cannot migrate database "${database}" ${direction}: ${reasonOf(cause)}`,
      { cause },
    );
  } finally {
    await client.end().catch(() => {});
  }
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

function reportMigration(line: string, report: (line: string) => void): void {
  const [, name, direction] = /^### MIGRATION (\S+) \((UP|DOWN)\) ###$/.exec(line) ?? [];
  if (name !== undefined) report(`${direction === "UP" ? "Migrating" : "Undoing"} ${name}`);
}

function reasonOf(error: unknown): string {
  const { message, hint } = error as { message?: string; hint?: string };
  return `${message || errorCode(error) || String(error)}${hint ? `. ${hint}` : ""}`;
}
