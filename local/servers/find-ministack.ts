import { codedError } from "../../runtime/function/coded-error";
import { installMinistack } from "./install-ministack";
import type { Python } from "./python";
import { interpreterOfCommand, probePython } from "./python";
import type { Report } from "./report";
import type { RunDirectory } from "./run-directory";

/** The version this project is tried with; a newer one of the same major version is taken too if it is there. */
export const MINISTACK_VERSION = "1.5.33";

const OLDEST_PYTHON = [3, 10] as const;
const REMEDY =
  "Install Python 3.10 or newer with its venv module (Debian and Ubuntu: apt install python3-venv; macOS: brew install python3; " +
  "Windows: winget install Python.Python.3.13), name an interpreter in PYTHON, or set AWS_ENDPOINT_URL to a MiniStack that runs already";

/** An interpreter that can run MiniStack. */
export interface MinistackPython {
  executable: string;
  version: string;
}

/**
 * Finds a Python that can import MiniStack: of the `ministack` command on the PATH, the Python in use, or else the virtual
 * environment in the project's cache folder, which is made first if need be. `PYTHON` names the Python in use and then comes
 * first.
 *
 * @throws PYTHON_MISSING, PYTHON_TOO_OLD, EMULATOR_INSTALL_FAILED
 */
export async function findMinistack(run: RunDirectory, report: Report): Promise<MinistackPython> {
  const named = process.env["PYTHON"] || undefined;
  const [command, inUse] = await Promise.all([pythonOfCommand(), pythonInUse(named)]);
  const found = named === undefined ? [command, inUse] : [inUse, command];
  for (const python of found) {
    if (!python || python.ministack === null) continue;
    if (isCompatible(python.ministack)) return { executable: python.executable, version: python.ministack };
    report(
      `MiniStack ${python.ministack} of ${python.executable} is not used: this project needs ${MINISTACK_VERSION} or newer of the same major version`,
    );
  }
  return {
    executable: await installMinistack(run, MINISTACK_VERSION, () => usablePython(inUse, named), report),
    version: MINISTACK_VERSION,
  };
}

/** Whether a version of MiniStack can be used: MINISTACK_VERSION or newer, of the same major version. */
export function isCompatible(version: string): boolean {
  const wanted = numbersOf(MINISTACK_VERSION);
  const offered = numbersOf(version);
  if (offered[0] !== wanted[0]) return false;
  for (const index of [1, 2]) {
    const difference = (offered[index] ?? 0) - (wanted[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function numbersOf(version: string): number[] {
  return (/^\d+(\.\d+)*/.exec(version)?.[0] ?? "").split(".").map(Number);
}

async function pythonOfCommand(): Promise<Python | undefined> {
  const interpreter = interpreterOfCommand("ministack");
  return interpreter === undefined ? undefined : probePython(interpreter);
}

async function pythonInUse(named: string | undefined): Promise<Python | undefined> {
  if (named !== undefined) return probePython(named);
  return (await probePython("python3")) ?? probePython("python");
}

function usablePython(python: Python | undefined, named: string | undefined): Python {
  if (!python) {
    const what =
      named === undefined
        ? 'There is no Python on the PATH (neither "python3" nor "python")'
        : `PYTHON is "${named}", which is no Python that runs`;
    throw codedError("PYTHON_MISSING", `${what}, and the AWS emulator (MiniStack) needs one. ${REMEDY}`);
  }
  const [major, minor] = python.version;
  if (major !== OLDEST_PYTHON[0] || minor < OLDEST_PYTHON[1]) {
    throw codedError(
      "PYTHON_TOO_OLD",
      `Python "${major}.${minor}" (${python.executable}) is too old for the AWS emulator (MiniStack). ${REMEDY}`,
    );
  }
  return python;
}
