import { execFile } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A Python interpreter and what it can import. */
export interface Python {
  /** Absolute path of the interpreter itself, not of a version manager's stand-in. */
  executable: string;
  /** E.g. [3, 12]. */
  version: readonly [number, number];
  /** The version of MiniStack that it can import, null if none. */
  ministack: string | null;
  /** The version of its pip, null if it has none. */
  pip: string | null;
}

const PROBE_TIMEOUT_MILLISECONDS = 20_000;
/** Runs on any Python, so that one that is too old can be named. */
const PROBE = `
import json, sys
def installed(package):
    try:
        from importlib.metadata import version
        return version(package)
    except Exception:
        return None
print(json.dumps({"executable": sys.executable, "version": list(sys.version_info[:2]),
                  "ministack": installed("ministack"), "pip": installed("pip")}))
`;

/** Asks an interpreter (a path, or a name to look for on the PATH); undefined if there is none that works. */
export function probePython(command: string): Promise<Python | undefined> {
  // -I would be safer, but it would also hide packages of the user's own site folder, where MiniStack may be.
  const args = ["-c", PROBE];
  const options = { timeout: PROBE_TIMEOUT_MILLISECONDS, windowsHide: true };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout) => {
      try {
        resolve(error ? undefined : (JSON.parse(stdout) as Python));
      } catch {
        resolve(undefined);
      }
    });
  });
}

/** The interpreter of a command on the PATH, as the command's first lines name it; undefined if there is none. */
export function interpreterOfCommand(command: string): string | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (folder === "") continue;
    try {
      const head = readFileSync(realpathSync(join(folder, command)), "utf8").slice(0, 1_000);
      // Either "#!/path/python", or for long paths a shell script whose second line begins: '''exec'
      // '/path/python' "$0".
      const interpreter =
        /^#!\s*(\S*python[\d.]*)\s*$/m.exec(head)?.[1] ??
        /^'''exec'\s+["']?([^"'\n]*python[\d.]*)["']?\s/m.exec(head)?.[1];
      if (interpreter !== undefined) return interpreter;
    } catch {
      // Not in this folder, or not readable.
    }
  }
  return undefined;
}
