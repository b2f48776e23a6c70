import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunDirectory } from "./run-directory";

/** The process that cleans up if the runner cannot. */
export interface Guardian {
  readonly pid: number | undefined;
  /** Tells it that the run was stopped in good order; resolves once it is gone. */
  dismiss(): Promise<void>;
}

/** What the runner says before it closes the pipe in good order. */
export const FAREWELL = "stopped";

/**
 * Starts a small process that holds the other end of a pipe to this one. However the runner dies, the pipe closes; if no
 * farewell came before, the guardian ends the run's processes and removes its folders. It is detached from the terminal, so
 * neither Ctrl-C nor a closed terminal takes it along.
 */
export function startGuardian(run: RunDirectory): Guardian {
  const guardian = spawn(process.execPath, [join(__dirname, "guardian-process.js"), run.path], {
    detached: true,
    windowsHide: true,
    // Not the project folder: it must stay removable while the guardian runs.
    cwd: tmpdir(),
    stdio: ["pipe", "ignore", "ignore"],
    // Nothing of the runner's Node options (inspector ports, preloaded modules) belongs into it.
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
    pid: guardian.pid,
    async dismiss() {
      guardian.ref();
      guardian.stdin.end(FAREWELL);
      await gone;
    },
  };
}
