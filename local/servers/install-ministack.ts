import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codedError, errorCode } from "../../runtime/function/coded-error";
import { startChild } from "./child";
import { logTail } from "./log-tail";
import type { Python } from "./python";
import { probePython } from "./python";
import type { Report } from "./report";
import type { RunDirectory } from "./run-directory";
import { cacheFolder } from "./run-directory";

/** `pip --python` came with it. */
const OLDEST_PIP_WITH_PYTHON_OPTION = [22, 3] as const;

/**
 * Answers the interpreter of a virtual environment that holds this version of MiniStack, and makes it if it is not there.
 * It is built under a name of this run's own and then renamed, so that runs that start at the same time do not see each
 * other's half: the first one to finish wins, the others throw theirs away. (The environment's scripts do not survive a
 * rename, its interpreter does; and only that one is used.)
 *
 * @param basePython answers the interpreter to make it with; asked only if need be
 * @throws EMULATOR_INSTALL_FAILED, and what `basePython` throws
 */
export async function installMinistack(
  run: RunDirectory,
  version: string,
  basePython: () => Python,
  report: Report,
): Promise<string> {
  const folder = join(cacheFolder(run.projectRoot), `ministack-${version}-venv`);
  if (existsSync(folder)) {
    if (await holds(folder, version)) return interpreterIn(folder);
    report(
      `The AWS emulator in ${folder} does not run any more (its Python may have been upgraded) and is installed again`,
    );
    await setAside(run, folder);
  }
  const base = basePython();
  const unfinished = `${folder}.${run.id}`;
  await mkdir(dirname(folder), { recursive: true });
  // On record, so that a killed run leaves no half of it.
  run.update(({ dataFolders }) => ({ dataFolders: [...dataFolders, unfinished] }));
  report(`Installing the AWS emulator (MiniStack ${version}) in ${folder}: once, takes some seconds`);
  await build(run, unfinished, base, version);
  await putInPlace(unfinished, folder, version);
  run.update(({ dataFolders }) => ({ dataFolders: dataFolders.filter((path) => path !== unfinished) }));
  return interpreterIn(folder);
}

async function build(run: RunDirectory, folder: string, base: Python, version: string): Promise<void> {
  const python = interpreterIn(folder);
  const creating = "Creating a virtual environment";
  const venvRemedy = "Install Python's venv module (Debian and Ubuntu: apt install python3-venv)";
  await execute(run, base.executable, ["-m", "venv", "--without-pip", folder], creating, venvRemedy);
  // With the pip that is there it takes 4 s, with one that is put into the environment first 9 s.
  const canInstallElsewhere = isAtLeast(base.pip, OLDEST_PIP_WITH_PYTHON_OPTION);
  if (!canInstallElsewhere) await execute(run, python, ["-m", "ensurepip"], creating, venvRemedy);
  const pip = canInstallElsewhere
    ? [base.executable, "-m", "pip", "--python", python]
    : [python, "-m", "pip"];
  const [command = python, ...args] = pip;
  await execute(
    run,
    command,
    [
      ...args,
      "install",
      "--no-compile",
      "--no-input",
      "--disable-pip-version-check",
      `ministack==${version}`,
    ],
    `Installing "ministack==${version}" with pip`,
    "Make the Python package index reachable (pip's own settings apply: PIP_INDEX_URL, PIP_PROXY, pip.conf)",
  );
  if (!(await holds(folder, version))) {
    throw codedError(
      "EMULATOR_INSTALL_FAILED",
      `MiniStack "${version}" cannot be imported from "${folder}" though pip installed it. Remove ".domains/cache" and start again`,
    );
  }
}

async function execute(
  run: RunDirectory,
  command: string,
  args: string[],
  what: string,
  remedy: string,
): Promise<void> {
  const log = join(run.path, "install.log");
  // The user's settings of pip count, except for one that no virtual environment allows.
  const env = { ...process.env, PIP_USER: "0" };
  const child = await startChild(run, { name: what, command, args, env, cwd: run.path, log });
  const exit = await child.wait();
  if (exit === "exit code 0") return;
  throw codedError(
    "EMULATOR_INSTALL_FAILED",
    `${what} for the AWS emulator failed (${exit}). ${remedy}, install it yourself (pipx install ministack), or set ` +
      `AWS_ENDPOINT_URL to a MiniStack that runs already. The end of the output:${logTail(log)}`,
  );
}

async function putInPlace(unfinished: string, folder: string, version: string): Promise<void> {
  try {
    await rename(unfinished, folder);
  } catch (error) {
    // Another run was quicker; its environment is as good as this one.
    const lost =
      ["ENOTEMPTY", "EEXIST", "EPERM"].includes(errorCode(error) ?? "") && (await holds(folder, version));
    if (!lost) throw error;
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function setAside(run: RunDirectory, folder: string): Promise<void> {
  const broken = `${folder}.broken-${run.id}`;
  try {
    await rename(folder, broken);
  } catch (error) {
    // Another run does the same at this moment.
    if (errorCode(error) !== "ENOENT") throw error;
  }
  await rm(broken, { recursive: true, force: true });
}

async function holds(folder: string, version: string): Promise<boolean> {
  return (await probePython(interpreterIn(folder)))?.ministack === version;
}

function isAtLeast(version: string | null, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = (version ?? "").split(".").map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

function interpreterIn(folder: string): string {
  return process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}
