import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const PROJECT_ROOT = join(__dirname, "..", "..");
/** Not part of the project, or created again in the copy. */
const LEFT_OUT = ["node_modules", ".git", ".domains", "coverage", "dist"];

/** The tests that see which domains are registered, and what the documents say of them. */
export const DOMAIN_TESTS = ["domains", "test/docs", "test/e2e/start", "test/program", "test/registry"];

/** A copy of the project in a temporary folder, as a team's clone would be. */
export interface ProjectCopy {
  root: string;
  /**
   * Runs one of package.json's scripts to its end.
   * @throws with its output when it fails; code 2, "refused", is an outcome
   */
  run(script: string, ...args: string[]): Promise<{ stdout: string }>;
  /** Starts the system as `npm start` does, and waits until it invites to try commands. */
  start(): Promise<RunningSystem>;
  remove(): void;
}

export interface RunningSystem {
  /** Its output so far. */
  said: string;
  /** Stops it as Ctrl-C does. */
  stop(): Promise<void>;
}

const REFUSED = 2;

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
    start: () => startSystem(root),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

async function runScript(cwd: string, script: string, args: string[]): Promise<{ stdout: string }> {
  const child = spawn("npm", ["run", "--silent", script, "--", ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    // The copy's test run must not inherit the settings of this one.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV)/.test(name))),
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exitCode(child)]);
  if (code === 0 || code === REFUSED) return { stdout };
  throw new Error(`npm run ${script} ended with ${code}:\n${stdout.slice(-8_000)}\n${stderr.slice(-8_000)}`);
}

async function startSystem(cwd: string): Promise<RunningSystem> {
  await runScript(cwd, "build", []);
  // Without npm, which would not pass the signal on.
  const child = spawn(process.execPath, [join(cwd, "dist", "local", "main.js")], {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = exitCode(child);
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (data: Buffer) => {
      said += data.toString();
      if (said.includes("Ctrl-C stops everything.")) resolve();
    });
    void ended.then((code) => reject(new Error(`npm start ended with ${code}:\n${said}`)), reject);
  });
  return {
    said,
    async stop() {
      child.kill("SIGINT");
      await ended;
    },
  };
}

function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
}
