import type { CodedError } from "../../runtime/function/coded-error";
import { codedError } from "../../runtime/function/coded-error";
import type { Child } from "./child";
import { type EmulatorHealth, emulatorHealth, refusesUnsignedCalls } from "./emulator-health";
import { logTail } from "./log-tail";
import { waitUntilReady } from "./wait-until-ready";

/** An emulator that was started. */
export interface StartedEmulator {
  endpoint: string;
  /** What it says of itself if it is the one of this run, and not another that took the port. */
  runId: string;
  log: string;
}

/**
 * Waits until an emulator answers, and has proven that it enforces IAM. Under load it may leave a question without an answer, which
 * proves nothing either way; it is asked again.
 *
 * @throws EMULATOR_START_FAILED, EMULATOR_WITHOUT_AUTH, PORT_TAKEN
 */
export function emulatorReady(
  child: Pick<Child, "exit">,
  { endpoint, runId, log }: StartedEmulator,
): Promise<EmulatorHealth> {
  return waitUntilReady({
    name: "The AWS emulator",
    child,
    log,
    address: `"${endpoint}"`,
    portTaken: /already in use/i,
    async probe() {
      const health = await emulatorHealth(endpoint).catch(() => undefined);
      if (health?.edition !== runId) return undefined;
      const refuses = await refusesUnsignedCalls(endpoint).catch(() => undefined);
      if (refuses === undefined) return undefined;
      if (health.authEnforced && refuses) return health;
      throw withoutAuth(health, endpoint);
    },
    failed: (what) => startFailed(what, log),
  });
}

function withoutAuth({ version }: EmulatorHealth, endpoint: string): CodedError {
  return codedError(
    "EMULATOR_WITHOUT_AUTH",
    `MiniStack "${version}" at "${endpoint}" does not enforce IAM though AUTH=true asks for it. ` +
      `Uninstall it, so that the version this project is tried with is installed`,
  );
}

function startFailed(what: string, log: string): CodedError {
  return codedError(
    "EMULATOR_START_FAILED",
    `${what}. Remove the cause, or set AWS_ENDPOINT_URL to a MiniStack that runs already. The end of its log:${logTail(log)}`,
  );
}
