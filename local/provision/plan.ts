import type { Deployment } from "./deployment";
import { packageZipper } from "./package-zip";
import { callProviderFunction } from "./resource-kinds";
import { provisioner } from "./provisioner";
import { runProgram } from "./run-program";
import { checkUnenforcedPermissions } from "./permissions/check-permissions";

/** The account of made-up ARNs. */
const PLAN_ACCOUNT = "000000000000";
const DEFAULT_REGION = "us-east-1";

/** What to plan. */
export interface PlanOptions {
  /** Loads the program, e.g. `() => require("../index.js")`; a fresh load each time, see `planProgram`. */
  program: () => unknown;
  project: string;
  stack: string;
  /** Keys without a namespace belong to the project. @default aws:region is us-east-1 */
  config: Record<string, string>;
  /**
   * Leave what only the deployed resource knows unknown, as in a first `pulumi preview`. Otherwise plausible
   * values are made up (account 000000000000), so that policies print readably.
   *
   * @default false
   */
  unknownOutputs?: boolean;
}

/**
 * Runs a Pulumi program as a dry run: nothing is created, no server is needed, and the program sees that it is a
 * preview.
 *
 * As for `deployProgram`, there is one run at a time in a process. A module runs when it is loaded first, so
 * planning twice takes a `program` that loads afresh each time, e.g. one that clears the program's folder from
 * `require.cache`.
 *
 * @throws as `deployProgram`, but for what only an emulator can refuse
 */
export async function planProgram(options: PlanOptions): Promise<Deployment> {
  const { program, project, stack, unknownOutputs = false } = options;
  const config = { "aws:region": DEFAULT_REGION, ...options.config };
  const scope = { project, stack, region: config["aws:region"], account: PLAN_ACCOUNT, zip: packageZipper() };
  const { register, deployment } = provisioner({ scope, unknownOutputs });
  const finished = await runProgram({
    program,
    project,
    stack,
    config,
    preview: true,
    register,
    call: (call) => callProviderFunction(call, scope),
  });
  const planned = deployment(finished);
  if (!unknownOutputs) checkUnenforcedPermissions(planned);
  return planned;
}
