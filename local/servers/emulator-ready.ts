import { setTimeout as delay } from "node:timers/promises";
import type { CodedError } from "../../runtime/coded-error";
import { codedError } from "../../runtime/coded-error";
import type { Child } from "./child";
import { type EmulatorHealth, emulatorHealth, refusesUnsignedCalls } from "./emulator-health";
import { logTail } from "./log-tail";

/** An emulator that was started. */
export interface StartedEmulator {
  endpoint: string;
  /** What it says of itself if it is the one of this run, and not another that took the port. */
  runId: string;
  log: string;
}

const READY_TIMEOUT_MILLISECONDS = 30_000;
const POLL_MILLISECONDS = 50;

/**
 * Waits until an emulator answers, and has proven that it enforces IAM. Under load it may leave a question without an answer, which
 * proves nothing either way; it is asked again.
 *
 * @throws EMULATOR_START_FAILED, EMULATOR_WITHOUT_AUTH, PORT_TAKEN
 */
export async function waitUntilReady(
  child: Pick<Child, "exit">,
  { endpoint, runId, log }: StartedEmulator,
): Promise<EmulatorHealth> {
  const deadline = performance.now() + READY_TIMEOUT_MILLISECONDS;
  for (;;) {
    const health = await emulatorHealth(endpoint).catch(() => undefined);
    if (health?.edition === runId) {
      const refuses = await refusesUnsignedCalls(endpoint).catch(() => undefined);
      if (health.authEnforced && refuses) return health;
      if (refuses !== undefined) throw withoutAuth(health, endpoint);
    }
    const exit = child.exit();
    if (exit !== undefined) {
      const taken = /already in use/i.test(logTail(log));
      if (taken)
        throw codedError(
          "PORT_TAKEN",
          `The AWS emulator cannot listen at "${endpoint}": another process took the port. Start again`,
        );
      throw startFailed(`The AWS emulator ended while starting (${exit})`, log);
    }
    if (performance.now() > deadline) {
      throw startFailed(
        `The AWS emulator did not become ready at "${endpoint}" within ${READY_TIMEOUT_MILLISECONDS / 1_000} s`,
        log,
      );
    }
    await delay(POLL_MILLISECONDS);
  }
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
