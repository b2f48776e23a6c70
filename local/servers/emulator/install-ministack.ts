import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codedError, errorCode } from "../../../runtime/function/coded-error";
import type { Report } from "../report";
import { startChild } from "../run/child";
import { logTail } from "../run/own-server";
import { cacheFolder, type RunDirectory } from "../run/run-directory";
import { probePython, type Python } from "./python";

/** `pip --python` came with it. */
const OLDEST_PIP_WITH_PYTHON_OPTION = "22.3";
const VENV_REMEDY = "Install Python's venv module (Debian and Ubuntu: apt install python3-venv)";
const INDEX_REMEDY =
  "Make the Python package index reachable (pip's own settings apply: PIP_INDEX_URL, PIP_PROXY, pip.conf)";

/**
 * Returns the interpreter of a virtual environment that holds this version of MiniStack, and makes it if it is not
 * there. It is built under a name of this run's own and then renamed, so that runs that start at the same time do
 * not see each other's half: the first one to finish wins, the others throw theirs away. (The environment's
 * scripts do not survive a rename, its interpreter does, and only that is used.)
 *
 * @param basePython returns the interpreter to make it with; called only if need be
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
      `The AWS emulator in ${folder} no longer runs (its Python may have been upgraded) and is installed again`,
    );
    await remove(run, folder);
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
  await execute(run, base.executable, ["-m", "venv", "--without-pip", folder], creating, VENV_REMEDY);
  // With the pip that is there it takes 4 s, with one that is put into the environment first 9 s.
  const canInstallElsewhere =
    (base.pip ?? "").localeCompare(OLDEST_PIP_WITH_PYTHON_OPTION, "en", { numeric: true }) >= 0;
  if (!canInstallElsewhere) await execute(run, python, ["-m", "ensurepip"], creating, VENV_REMEDY);
  const pip = canInstallElsewhere ? ["-m", "pip", "--python", python] : ["-m", "pip"];
  const quietly = ["--no-compile", "--no-input", "--disable-pip-version-check"];
  await execute(
    run,
    canInstallElsewhere ? base.executable : python,
    [...pip, "install", ...quietly, `ministack==${version}`],
    `Installing "ministack==${version}" with pip`,
    INDEX_REMEDY,
  );
  if (await holds(folder, version)) return;
  throw codedError(
    "EMULATOR_INSTALL_FAILED",
    `MiniStack "${version}" cannot be imported from "${folder}" although pip installed it. Remove ".domains/cache" and start again`,
  );
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
    const lost = ["ENOTEMPTY", "EEXIST", "EPERM"].includes(errorCode(error) ?? "");
    if (!lost || !(await holds(folder, version))) throw error;
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function remove(run: RunDirectory, folder: string): Promise<void> {
  const broken = `${folder}.broken-${run.id}`;
  // Renamed first: another run may do the same at this moment.
  await rename(folder, broken).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw error;
  });
  await rm(broken, { recursive: true, force: true });
}

async function holds(folder: string, version: string): Promise<boolean> {
  return (await probePython(interpreterIn(folder)))?.ministack === version;
}

function interpreterIn(folder: string): string {
  return process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}
