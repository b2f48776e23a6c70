import { join } from "node:path";
import { Command } from "commander";
import { errorCode } from "../../runtime/function/coded-error";
import { planProgram } from "../provision/plan";
import { loadProgram, PROJECT } from "../system/program";
import { describePlan, plannedFunctions } from "./describe-plan";
import { describeQuotas, exceededQuotas } from "./quotas";
import { stackConfig } from "./stack-config";

const PROJECT_ROOT = join(__dirname, "..", "..", "..");

interface Options {
  stack: string;
  json?: true;
  unknownOutputs?: boolean;
}

new Command("preview")
  .description("Runs the Pulumi program dry: no account, no Pulumi CLI, nothing is created.")
  .option("--stack <stack>", "the stack whose configuration is used", "dev")
  .option(
    "--unknown-outputs",
    "leave unknown what only a deployed resource tells, as a first `pulumi preview` does",
  )
  .option("--json", "one JSON document on standard output (npm run --silent preview -- --json)")
  .action(async ({ stack, json, unknownOutputs = false }: Options) => {
    const config = stackConfig(PROJECT_ROOT, PROJECT, stack);
    const plan = await planProgram({ program: loadProgram, project: PROJECT, stack, config, unknownOutputs });
    const { outputs, resources } = plan;
    const quotas = exceededQuotas(plan, config["aws:region"] ?? "");
    const document = {
      project: PROJECT,
      stack,
      outputs,
      functions: plannedFunctions(plan),
      quotas,
      resources,
    };
    const text = [describePlan(plan), describeQuotas(quotas)].filter(Boolean).join("\n");
    process.stdout.write(`${json ? JSON.stringify(document, null, 2) : text}\n`);
  })
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${errorCode(error) ?? "ERROR"}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  });
