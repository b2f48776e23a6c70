import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Runs an npm script as a user does. */
function npmRun(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  const cwd = join(__dirname, "..", "..");
  return spawnSync("npm", ["run", ...args], { cwd, encoding: "utf8", shell: process.platform === "win32" });
}

test("npm run --silent preview -- --json prints one JSON document and nothing else on standard output", () => {
  const { stdout, status } = npmRun("--silent", "preview", "--", "--json");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ project: "domain-consistency", stack: "dev" });
});

test("npm run --silent keeps errors and their exit code", () => {
  const { stdout, stderr, status } = npmRun("--silent", "preview", "--", "--stack", "nowhere");
  expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
  expect(stderr).toMatch(/^STACK_UNKNOWN: There is no Pulumi\.nowhere\.yaml\./);
});
