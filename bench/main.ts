import { join } from "node:path";
import { Command, Option } from "commander";
import { errorCode } from "../runtime/function/coded-error";
import { reportToStderr } from "../local/servers/report";
import { benchGuard } from "./guard";
import { benchPackages } from "./packages";
import { type Row, tableOf } from "./row";
import { benchSystem } from "./system";
import { benchWrite } from "./write";
import { openWriteDatabase } from "./write-database";

const PROJECT_ROOT = join(__dirname, "..", "..");
const AREAS = ["write", "guard", "events", "packages", "startup"] as const;

type Area = (typeof AREAS)[number];

new Command("npm run bench --")
  .description(
    "Measures the performance that the project promises, as ratios within one run, and compares them with their targets.",
  )
  .addOption(new Option("--only <area>", "measure one area").choices(AREAS))
  .action(async ({ only }: { only?: Area }) => {
    const rows = await measure(only ? [only] : AREAS);
    process.stdout.write(`${tableOf(rows)}\n`);
  })
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${errorCode(error) ?? "ERROR"}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  });

async function measure(areas: readonly Area[]): Promise<Row[]> {
  const rows: Row[] = [];
  if (areas.includes("write") || areas.includes("guard")) {
    const database = await openWriteDatabase(PROJECT_ROOT, reportToStderr);
    try {
      if (areas.includes("write")) rows.push(...(await benchWrite(database, reportToStderr)));
      if (areas.includes("guard")) rows.push(...(await benchGuard(database, reportToStderr)));
    } finally {
      await database.stop();
    }
  }
  if (areas.includes("packages")) rows.push(...(await benchPackages(PROJECT_ROOT, reportToStderr)));
  const system = (["events", "startup"] as const).filter((area) => areas.includes(area));
  if (system.length > 0) rows.push(...(await benchSystem(system)));
  return rows;
}
