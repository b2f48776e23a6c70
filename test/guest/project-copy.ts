import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROJECT_ROOT = join(__dirname, "..", "..");
/** Not part of the project, or made again in the copy. */
const LEFT_OUT = ["node_modules", ".git", ".domains", "coverage", "dist"];

/** A copy of the project in a temporary folder, as a team's clone would be. */
export interface ProjectCopy {
  root: string;
  /** Runs one of package.json's scripts to its end. @throws with its output when it fails */
  run(script: string, ...args: string[]): Promise<Ended>;
  remove(): void;
}

/** What a script printed. */
export interface Ended {
  stdout: string;
  stderr: string;
}

/** Copies the project. Dependencies and the installed emulator are shared. */
export function copyProject(): ProjectCopy {
  const root = mkdtempSync(join(tmpdir(), "domains-copy-"));
  for (const name of readdirSync(PROJECT_ROOT)) {
    if (!LEFT_OUT.includes(name)) cpSync(join(PROJECT_ROOT, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(PROJECT_ROOT, "node_modules"), join(root, "node_modules"));
  const cache = join(".domains", "cache");
  mkdirSync(join(PROJECT_ROOT, cache), { recursive: true });
  mkdirSync(join(root, ".domains"));
  symlinkSync(join(PROJECT_ROOT, cache), join(root, cache));
  execFileSync("git", ["init", "--quiet"], { cwd: root });
  return {
    root,
    run: (script, ...args) => runScript(root, script, args),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

async function runScript(cwd: string, script: string, args: string[]): Promise<Ended> {
  const child = spawn("npm", ["run", "--silent", script, "--", ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    // The copy's tests are not this test run's.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV)/.test(name))),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (exitCode === 0) return { stdout, stderr };
  throw new Error(
    `npm run ${script} ended with ${exitCode}:\n${stdout.slice(-8_000)}\n${stderr.slice(-8_000)}`,
  );
}
