import { join } from "node:path";
import { Command } from "commander";
import { loggedReason } from "../runtime/function/private-values";
import { runInteractively } from "./run/interactive";
import { runOnce } from "./run/once";

const PROJECT_ROOT = join(__dirname, "..", "..");

interface Options {
  once?: true;
  json?: true;
}

new Command("npm start --")
  .description("Runs the whole system on this machine, with the project's scenario if it has one.")
  .option("--once", "run the scenario once, drain, check, and stop; exit code 0 only if all held")
  .option("--json", "with --once: print one JSON document on standard output")
  .action(async ({ once, json }: Options) => {
    if (once) await runOnce({ projectRoot: PROJECT_ROOT, json: json === true });
    else await runInteractively({ projectRoot: PROJECT_ROOT });
  })
  .parseAsync()
  .catch((error: unknown) => {
    const { code = "ERROR", reason } = loggedReason(error);
    process.stderr.write(`${code}: ${reason}\n`);
    process.exitCode = 1;
  });
