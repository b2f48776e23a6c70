import { spawn } from "node:child_process";
import { join } from "node:path";
import { codedError } from "../../runtime/function/coded-error";
import type { SeedResult } from "./run-seed";

/** A run of one seed in its own process. */
export interface SeedProcessOptions {
  /** The folder that holds dist/. */
  projectRoot: string;
  seed: number;
  faults: number;
  changes: number;
  faultsPerVerdict?: number;
  /** @default any finding */
  until?: readonly string[];
  /** Takes the lines that the process prints to stderr. @default silent */
  report?: (line: string) => void;
}

/**
 * Runs a seed in its own process: a process can deploy a program only once, and several seeds run side by
 * side.
 *
 * @throws SEED_FAILED if the run had no result
 */
export async function runSeedProcess(options: SeedProcessOptions): Promise<SeedResult> {
  const { projectRoot, seed, faults, changes, faultsPerVerdict, until, report } = options;
  const limits = {
    ...{ seed, seeds: 1, faults, changes },
    ...{ "faults-per-verdict": faultsPerVerdict, until: until?.join(",") },
  };
  const given = Object.entries(limits).filter(([, value]) => value !== undefined);
  const main = join(projectRoot, "dist", "test", "faults", "main.js");
  const child = spawn(
    process.execPath,
    [main, "--json", ...given.flatMap(([name, value]) => [`--${name}`, String(value)])],
    { cwd: projectRoot, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  let said = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
    if (report) for (const line of data.toString().trimEnd().split("\n")) report(line);
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const [result] = output ? (JSON.parse(output) as { runs: SeedResult[] }).runs : [];
  if (result) return result;
  throw codedError(
    "SEED_FAILED",
    `Seed ${seed} ended with exit code ${exitCode} and no result. The end of its output: ${said.slice(-2_000)}`,
  );
}
