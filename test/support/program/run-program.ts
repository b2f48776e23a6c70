import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { FIXTURE, REGISTERED } from "./domain-sources";
import { inNamespace, PROJECT, REQUIRED_CONFIG, secretsOf } from "./stack-config";

/** How to run the program in a separate process. */
export interface ProgramOptions {
  /** The program with the fixture domains, or with those that are registered under domains/. */
  domains: "fixture" | "registered";
  /** "build": the compiled program in dist/; "pulumi": the sources, with the loader of `pulumi up`, and registered domains. */
  load: "build" | "pulumi";
  /** Leaves computed outputs unknown. @default false */
  preview?: boolean;
  /** Type-checks while loading, as `pulumi up` does. @default false */
  typeCheck?: boolean;
}

/** The request to the process. */
export interface ProgramRequest extends Required<ProgramOptions> {
  project: string;
  main: string;
  config: Record<string, string>;
  folder: string;
}

/** A declared function. */
export interface DeclaredFunction {
  /** E.g. "index.handler". */
  handler: string;
  /** The folder of its package. */
  folder: string;
  /** The files of the package. */
  files: string[];
  variables: Record<string, string>;
}

const ROOT = join(__dirname, "..", "..", "..");

/**
 * Runs the program in a separate process, from the project's folder, and writes the packages below `parent`.
 *
 * @returns the functions by name
 * @throws with the output of the process when it fails
 */
export async function runProgram(
  parent: string,
  options: ProgramOptions,
): Promise<Record<string, DeclaredFunction>> {
  const folder = mkdtempSync(join(parent, `${options.load}-`));
  const { modules } = (options.domains === "fixture" ? FIXTURE : REGISTERED).registry;
  const moduleSecretArns = secretsOf(modules.map(({ name }) => name));
  const request: ProgramRequest = {
    preview: false,
    typeCheck: false,
    ...options,
    project: PROJECT,
    main: "index.ts",
    config: inNamespace({ ...REQUIRED_CONFIG, moduleSecretArns }),
    folder,
  };
  const script = join(__dirname, "program-process.mts");
  // A separate cache, so that this process bundles every package.
  const env = { ...process.env, DOMAINS_PACKAGE_CACHE: join(folder, "cache") };
  await promisify(execFile)(process.execPath, [script, JSON.stringify(request)], { cwd: ROOT, env });
  return JSON.parse(readFileSync(join(folder, "functions.json"), "utf8")) as Record<string, DeclaredFunction>;
}

/** Function -> SHA-256 of its package. */
export function hashesOf(functions: Record<string, DeclaredFunction>): Record<string, string> {
  const names = Object.keys(functions).sort();
  return Object.fromEntries(names.map((name) => [name, sha256(packageText(functions[name]))]));
}

/** The text of a function's index.js. */
export function packageText(declared: DeclaredFunction | undefined): string {
  return readFileSync(join(declared?.folder ?? "", "index.js"), "utf8");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
