import { Command } from "commander";
import { migrateDown, migrateUp } from "../migrations/runner";
import { errorCode } from "../runtime/coded-error";

const report = (line: string) => process.stderr.write(`${line}\n`);

const program = new Command("migrate")
  .description("Migrates the monolith's database.")
  .option("--url <url>", "the database's address; default: the environment variable DATABASE_URL")
  .option("--down <count>", "undo the last migrations instead, so many of them");

program
  .action(async ({ url, down }: { url?: string; down?: string }) => {
    const databaseUrl = url ?? process.env["DATABASE_URL"];
    if (!databaseUrl) return program.error("Say which database: --url <url>, or DATABASE_URL.");
    if (down !== undefined && !/^[1-9]\d*$/.test(down))
      return program.error(`--down "${down}" is not a whole number from 1 on.`);
    const done =
      down === undefined
        ? await migrateUp({ databaseUrl, report })
        : await migrateDown({ databaseUrl, count: Number(down), report });
    report(done.length === 0 ? "Nothing to do." : `Done: ${done.join(", ")}`);
  })
  .parseAsync()
  .catch((error: unknown) => {
    report(`${errorCode(error) ?? "ERROR"}: ${(error as Error).message}`);
    process.exitCode = 1;
  });
