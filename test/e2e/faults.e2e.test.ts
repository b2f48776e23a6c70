import { spawn } from "node:child_process";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { FaultsReport } from "../../dist/test/faults/faults-report.js";

const PROJECT_ROOT = join(__dirname, "..", "..");
const LIMITS = { seed: 20_261, seeds: 1, faults: 60, changes: 120 };

let report: FaultsReport;
let progress = "";

beforeAll(async () => {
  const options = Object.entries(LIMITS).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const main = join(PROJECT_ROOT, "dist", "test", "faults", "main.js");
  const child = spawn(process.execPath, [main, ...options, "--json"], {
    cwd: PROJECT_ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (progress += data.toString()));
  await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (!output) throw new Error(`The run printed no report:\n${progress}`);
  report = JSON.parse(output) as FaultsReport;
});

test("no guarantee is broken while faults strike at every hop", () => {
  expect(report.runs.flatMap(({ findings }) => findings)).toEqual([]);
  expect(report.held).toBe(true);
});

test("the run injects the requested faults, including server failures", () => {
  expect(report.faults).toBeGreaterThanOrEqual(LIMITS.faults);
  expect(report.changes).toBeGreaterThanOrEqual(LIMITS.changes);
  expect(report.injected).toMatchObject({
    "PostgreSQL killed": 2,
    "emulator restarted": 1,
    "shard split": 1,
  });
});

test("the run prints its seed, the faults by kind, and the verdict", () => {
  expect(progress).toContain(`seed ${LIMITS.seed}: `);
  expect(progress).toMatch(/faults: .*PostgreSQL killed 2/);
  expect(progress).toContain("verdict: all guarantees held");
});
