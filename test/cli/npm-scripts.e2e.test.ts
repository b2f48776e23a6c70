import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(__dirname, "..", "..");

/** Runs an npm script as a user does. */
function npmRun(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync("npm", ["run", ...args], {
    cwd: ROOT,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
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

test("a reader that has enough of the output, as `| head` does, is no error", async () => {
  const list = spawn(process.execPath, ["scripts/run.mjs", "cli/main.js", "list"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  list.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  list.stdout.destroy();
  const [status] = (await once(list, "close")) as [number | null];
  expect({ status, errors }).toEqual({ status: 0, errors: "" });
});
