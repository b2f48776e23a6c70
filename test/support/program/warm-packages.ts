/**
 * vitest globalSetup: makes the functions' packages once, in the cache that all whole runs share. Several runs that
 * start at the same time with an empty cache would each make all of them.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const ROOT = join(__dirname, "..", "..", "..");

export function setup(): void {
  const preview = join(ROOT, "dist", "local", "preview", "main.js");
  // What is wrong with the program is for the tests to say.
  spawnSync(process.execPath, [preview, "--json"], { cwd: ROOT, stdio: "ignore" });
}
