import { spawn } from "node:child_process";
import { join } from "node:path";

/** The output of `npm start -- --once --json`, as far as tests read it. */
export interface OnceReport {
  held: boolean;
  faults: string[];
  commands: { sent: Record<string, number>; outcomes: Record<string, number> };
  steps: { step: number; count: number; example?: unknown }[];
  events: { byType: Record<string, number>; inOutboxes: number };
  projections: Record<string, { rows: number; tombstones: number }>;
  lost: number;
  "applied twice": number;
  stale: number;
  leaked: number;
  emulator: { iamEnforced: boolean };
  packageBytes: Record<string, number>;
}

/** The result of a run. */
export interface OnceResult {
  exitCode: number | null;
  report: OnceReport;
  /** Standard error. */
  progress: string;
}

/** Runs the system of a project folder once, as `npm start -- --once --json` does after the build. */
export async function runSystemOnce(projectRoot: string): Promise<OnceResult> {
  const main = join(projectRoot, "dist", "local", "main.js");
  const child = spawn(process.execPath, [main, "--once", "--json"], {
    cwd: projectRoot,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let progress = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (progress += data.toString()));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (!output) throw new Error(`The run printed no report and ended with ${exitCode}:\n${progress}`);
  return { exitCode, report: JSON.parse(output) as OnceReport, progress };
}
