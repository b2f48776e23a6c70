// Compiles the project to dist/; does nothing where dist/ is up to date. Run by the npm scripts before anything else, also
// by several at the same time: one compiles, the others wait for it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { currentSources, distrustChangedOutputs, isUpToDate, ROOT, stampBuild } from "./build-stamp.mjs";

const LOCK = join(ROOT, ".domains", "build.lock");
const POLL_MILLISECONDS = 100;
/** The codes of docs/troubleshooting.md for what a disk refuses. */
const REASONS = {
  ENOSPC: "DISK_FULL",
  EDQUOT: "DISK_FULL",
  EROFS: "DISK_NOT_WRITABLE",
  EACCES: "DISK_NOT_WRITABLE",
  EPERM: "DISK_NOT_WRITABLE",
};
/** A lock that is older counts for nothing: its process's number may be another process's by now. */
const LONGEST_BUILD_MILLISECONDS = 10 * 60 * 1_000;

try {
  if (!isUpToDate()) await build();
} catch (error) {
  if (!REASONS[error.code]) throw error;
  process.stderr.write(
    `${REASONS[error.code]}: Compiling the project to "${join(ROOT, "dist")}" failed (${error.code}). ` +
      "Free space or raise the quota, make the project's folder writable, or copy the project elsewhere.\n",
  );
  process.exitCode = 1;
}

async function build() {
  await takeLock();
  try {
    process.exitCode = isUpToDate() ? 0 : compile();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

function compile() {
  if (!existsSync(join(ROOT, "dist")))
    process.stderr.write("Compiling the project (once; later runs compile only what changed) ...\n");
  distrustChangedOutputs();
  const inputs = currentSources();
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(ROOT, "tsconfig.json")], {
    stdio: ["ignore", 2, 2],
  });
  stampBuild(status === 0, inputs);
  return status ?? 1;
}

/** Waits until no other build of this project runs. A lock names its process; one whose process has died is removed. */
async function takeLock() {
  mkdirSync(dirname(LOCK), { recursive: true });
  for (let said = false; ;) {
    try {
      return writeFileSync(LOCK, String(process.pid), { flag: "wx" });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!isHeld()) rmSync(LOCK, { force: true });
    else if (!said) process.stderr.write("Waiting for another build of this project ...\n");
    said = true;
    await delay(POLL_MILLISECONDS);
  }
}

function isHeld() {
  try {
    if (Date.now() - statSync(LOCK).mtimeMs > LONGEST_BUILD_MILLISECONDS) return false;
    process.kill(Number(readFileSync(LOCK, "utf8")), 0);
    return true;
  } catch (error) {
    // ESRCH: there is no such process. Otherwise it is another user's, or has released the lock meanwhile.
    return error.code !== "ESRCH";
  }
}
