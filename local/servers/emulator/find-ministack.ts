import { codedError } from "../../../runtime/function/coded-error";
import type { Report } from "../report";
import type { RunDirectory } from "../run/run-directory";
import { installMinistack } from "./install-ministack";
import { interpreterOfCommand, probePython, type Python } from "./python";

/** The version this project is tested with; a newer one of the same major version is used too if it is there. */
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
 * Finds a Python that can import MiniStack: that of the `ministack` command on the PATH, the Python in use, or
 * else the virtual environment in the project's cache folder, which is made first if need be. `PYTHON` names the
 * Python in use and then comes first.
 *
 * @throws PYTHON_MISSING, PYTHON_TOO_OLD, EMULATOR_INSTALL_FAILED
 */
export async function findMinistack(run: RunDirectory, report: Report): Promise<MinistackPython> {
  const named = process.env["PYTHON"] || undefined;
  const command = interpreterOfCommand("ministack");
  const [ofCommand, inUse] = await Promise.all([
    command === undefined ? undefined : probePython(command),
    named === undefined ? firstPython("python3", "python") : probePython(named),
  ]);
  for (const python of named === undefined ? [ofCommand, inUse] : [inUse, ofCommand]) {
    if (!python?.ministack) continue;
    if (isCompatible(python.ministack)) return { executable: python.executable, version: python.ministack };
    report(
      `MiniStack ${python.ministack} of ${python.executable} is not used: this project needs ${MINISTACK_VERSION} or newer of the same major version`,
    );
  }
  const base = () => usablePython(inUse, named);
  const executable = await installMinistack(run, MINISTACK_VERSION, base, report);
  return { executable, version: MINISTACK_VERSION };
}

/** Whether a version of MiniStack can be used: MINISTACK_VERSION or newer, of the same major version. */
export function isCompatible(version: string): boolean {
  const [major] = MINISTACK_VERSION.split(".");
  const isNewEnough = version.localeCompare(MINISTACK_VERSION, "en", { numeric: true }) >= 0;
  return version.split(".")[0] === major && isNewEnough;
}

async function firstPython(...commands: string[]): Promise<Python | undefined> {
  for (const command of commands) {
    const python = await probePython(command);
    if (python) return python;
  }
  return undefined;
}

function usablePython(python: Python | undefined, named: string | undefined): Python {
  if (!python) {
    const what =
      named === undefined
        ? 'There is no Python on the PATH (neither "python3" nor "python")'
        : `PYTHON is "${named}", which is not a Python that runs`;
    throw codedError("PYTHON_MISSING", `${what}, and the AWS emulator (MiniStack) needs one. ${REMEDY}`);
  }
  const [major, minor] = python.version;
  if (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]) return python;
  throw codedError(
    "PYTHON_TOO_OLD",
    `Python "${major}.${minor}" (${python.executable}) is too old for the AWS emulator (MiniStack). ${REMEDY}`,
  );
}
