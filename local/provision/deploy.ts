import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { codedError } from "../../runtime/function/coded-error";
import type { Deployment } from "./deployment";
import { emulatorClients, type EmulatorClients } from "./emulator-clients";
import { packageZipper } from "./package-zip";
import { callProviderFunction } from "./resource-kinds";
import { provisioner } from "./provisioner";
import { runProgram } from "./run-program";
import { checkUnenforcedPermissions } from "./permissions/check-permissions";

/** What to deploy, and where. */
export interface DeployOptions {
  /** Loads the program, e.g. `() => require("../index.js")`; its exports are the stack's outputs. */
  program: () => unknown;
  project: string;
  stack: string;
  /** Keys without a namespace belong to the project; "aws:region" is set from `region`. */
  config: Record<string, string>;
  /** Address of the AWS emulator, e.g. "http://127.0.0.1:4566". */
  endpoint: string;
  region: string;
  /** Environment variables that a function has on this machine in addition, by its physical name. @default none */
  functionVariables?: (functionName: string) => Record<string, string>;
  /** Takes a line of progress. */
  report?: (line: string) => void;
}

/**
 * Runs a Pulumi program in this process and creates each resource that it declares on an AWS emulator. Resolves
 * when all exist. What the emulator cannot do is listed in the deployment's `differences`.
 *
 * Pulumi's mocks belong to the process, so there is one deployment at a time in it; and since a module runs when
 * it is loaded first, a second deployment needs a program that was not loaded before (clear it from
 * `require.cache`, or use another process). During the deployment every unhandled rejection of the process counts
 * as the program's.
 *
 * @throws once, for the first failure: `EMULATOR_UNREACHABLE`, `PROVISION_FAILED`, `RESOURCE_TYPE_UNKNOWN`,
 *   `RESOURCE_INPUT_FAILED` (a throw in an apply, or a function that cannot be serialized), `PROGRAM_FAILED`,
 *   `PHYSICAL_NAME_TOO_LONG`, `PACKAGE_UNREADABLE` and others that name the resource; or `PERMISSION_MISSING` at
 *   the end.
 */
export async function deployProgram(options: DeployOptions): Promise<Deployment> {
  const { program, project, stack, endpoint, region, report } = options;
  const startedAt = performance.now();
  const clients = emulatorClients(endpoint, region);
  try {
    const scope = {
      project,
      stack,
      region,
      account: await accountOf(clients, endpoint),
      zip: packageZipper(),
      functionVariables: options.functionVariables,
    };
    const { register, deployment } = provisioner({ scope, clients });
    const finished = await runProgram({
      program,
      project,
      stack,
      config: { ...options.config, "aws:region": region },
      preview: false,
      register,
      call: (call) => callProviderFunction(call, scope),
    });
    const deployed = deployment(finished);
    checkUnenforcedPermissions(deployed);
    report?.(summaryOf(deployed, performance.now() - startedAt));
    return deployed;
  } finally {
    clients.close();
  }
}

async function accountOf({ sts }: EmulatorClients, endpoint: string): Promise<string> {
  try {
    const { Account } = await sts.send(new GetCallerIdentityCommand({}));
    if (Account) return Account;
  } catch (cause) {
    throw codedError(
      "EMULATOR_UNREACHABLE",
      `The AWS emulator at "${endpoint}" does not answer. Check that it runs and that nothing else uses its port.`,
      { cause },
    );
  }
  throw codedError(
    "EMULATOR_UNREACHABLE",
    `What answers at "${endpoint}" is not an AWS emulator: it names no account.`,
  );
}

function summaryOf({ resources }: Deployment, milliseconds: number): string {
  const created = resources.filter(({ id, replacement }) => id !== "" && replacement === undefined).length;
  const recorded = resources.filter(({ replacement }) => replacement !== undefined).length;
  return `Created ${created} resources in ${(milliseconds / 1000).toFixed(1)} s; ${recorded} are only recorded`;
}
