import { join } from "node:path";
import { Command } from "commander";
import { loadDomains } from "../domains/registry";
import { migrateDown, migrateUp } from "../runtime/postgres/migrate";
import { type SlotPosition, slotPosition } from "../runtime/postgres/slot-position";
import { loggedReason } from "../runtime/function/private-values";

const DOMAIN_MIGRATIONS = join(__dirname, "..", "migrations");

const report = (line: string) => process.stderr.write(`${line}\n`);

const startPosition = ({ slot, position }: SlotPosition) =>
  `The slot ${slot} has the changes from ${position} on. For a new stack: pulumi config set captureStartPosition ${position}`;

const program = new Command("migrate")
  .description("Migrates the monolith's database.")
  .option("--url <url>", "the database's address; default: the environment variable DATABASE_URL")
  .option("--down <count>", "undo the last <count> migrations of the domains instead")
  .option("--framework", "with --down: undo the framework's own migrations (outbox, guard, roles, slot)");

program
  .action(async ({ url, down, framework }: { url?: string; down?: string; framework?: true }) => {
    const databaseUrl = url ?? process.env["DATABASE_URL"];
    if (!databaseUrl) return program.error("Say which database: --url <url>, or DATABASE_URL.");
    if (down !== undefined && !/^[1-9]\d*$/.test(down))
      return program.error(`--down "${down}" is not a whole number from 1 on.`);
    if (framework && down === undefined) return program.error("--framework says what --down undoes: add it.");
    const options = { databaseUrl, domainMigrations: DOMAIN_MIGRATIONS, report };
    const done =
      down === undefined
        ? await migrateUp({ ...options, domains: loadDomains().all })
        : await migrateDown({
            ...options,
            count: Number(down),
            sequence: framework ? "framework" : "domains",
          });
    const names = done.map(({ sequence, name }) => `${sequence}/${name}`);
    report(names.length === 0 ? "No migration to run." : `Done: ${names.join(", ")}`);
    const found = await slotPosition(databaseUrl);
    if (found) report(startPosition(found));
  })
  .parseAsync()
  .catch((error: unknown) => {
    const { code = "ERROR", reason } = loggedReason(error);
    report(`${code}: ${reason}`);
    process.exitCode = 1;
  });
