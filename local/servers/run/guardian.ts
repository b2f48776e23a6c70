import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { cleanUpRun } from "./clean-up";
import type { RunDirectory } from "./run-directory";

/** The process that cleans up if the runner cannot. */
export interface Guardian {
  /** Ends it without a clean-up, after the run was stopped in order; resolves once it is gone. */
  dismiss(): Promise<void>;
}

/** What the runner says before it closes the pipe in order. */
const FAREWELL = "stopped";

/**
 * Starts a small process that holds the other end of a pipe to this one. However the runner dies, the pipe closes;
 * if no farewell came before, the guardian ends the run's processes and removes its folders. It is detached from
 * the terminal, so neither Ctrl-C nor a closed terminal ends it.
 */
export function startGuardian(run: RunDirectory): Guardian {
  const guardian = spawn(process.execPath, [__filename, run.path], {
    detached: true,
    windowsHide: true,
    // Not the project folder: it must stay removable while the guardian runs.
    cwd: tmpdir(),
    stdio: ["pipe", "ignore", "ignore"],
    // The runner's Node options (inspector ports, preloaded modules) are not meant for it.
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const gone = new Promise<void>((resolve) => {
    guardian.once("exit", () => resolve());
    guardian.once("error", () => resolve());
  });
  // A guardian that died leaves a broken pipe; the next sweep cleans up in its place.
  guardian.stdin.on("error", () => undefined);
  guardian.unref();
  if (guardian.pid !== undefined) run.update({ guardian: guardian.pid });
  return {
    async dismiss() {
      guardian.ref();
      guardian.stdin.end(FAREWELL);
      await gone;
    },
  };
}

/**
 * What the guardian's own process does: waits for the end of its standard input, then cleans up unless a farewell
 * came.
 */
function guard(runFolder: string): void {
  // It must outlive whatever ends the runner; it ends by itself as soon as the pipe does.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
  let said = "";
  const finish = (): void => {
    if (said.includes(FAREWELL)) process.exit(0);
    cleanUpRun(runFolder).then(
      ({ problems }) => process.exit(problems.length === 0 ? 0 : 1),
      () => process.exit(1),
    );
  };
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text: string) => (said += text));
  process.stdin.on("error", finish);
  process.stdin.on("end", finish);
}

if (require.main === module) guard(process.argv[2] ?? "");
