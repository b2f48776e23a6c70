import { codedError } from "../../../runtime/function/coded-error";

/** What MiniStack reports about itself. */
export interface EmulatorHealth {
  version: string;
  authEnforced: boolean;
  /** Free text that its starter can set; an emulator of a run's own carries the run's id here. */
  edition: string;
}

const ANSWER_TIMEOUT_MILLISECONDS = 2_000;

/**
 * Asks an endpoint for MiniStack's health.
 *
 * @returns undefined if something answers that is not MiniStack
 * @throws what fetch throws when nothing answers within 2 seconds
 */
export async function emulatorHealth(endpoint: string): Promise<EmulatorHealth | undefined> {
  const response = await fetch(new URL("/_ministack/health", endpoint), {
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MILLISECONDS),
  });
  const text = await response.text();
  if (!response.ok) return undefined;
  try {
    const { version, auth, edition } = JSON.parse(text) as Record<string, unknown>;
    if (typeof version !== "string") return undefined;
    return { version, authEnforced: auth === "enabled", edition: typeof edition === "string" ? edition : "" };
  } catch {
    return undefined;
  }
}

/**
 * The health of an emulator that answers, is the one of this run (and not another that took the port), and has
 * proven that it enforces IAM; undefined otherwise. Under load it may leave a question without an answer, which
 * proves nothing either way.
 *
 * @throws EMULATOR_WITHOUT_AUTH
 */
export async function probeEmulator(endpoint: string, runId: string): Promise<EmulatorHealth | undefined> {
  const health = await emulatorHealth(endpoint).catch(() => undefined);
  if (health?.edition !== runId) return undefined;
  const refuses = await refusesUnsignedCalls(endpoint).catch(() => undefined);
  if (refuses === undefined) return undefined;
  if (health.authEnforced && refuses) return health;
  throw codedError(
    "EMULATOR_WITHOUT_AUTH",
    `MiniStack "${health.version}" at "${endpoint}" does not enforce IAM although it was started with AUTH=true. ` +
      "Uninstall it, so that the version this project is tested with is installed",
  );
}

/** Whether a call without a signature is refused: the proof of what the health answer only claims. */
async function refusesUnsignedCalls(endpoint: string): Promise<boolean> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "Action=GetCallerIdentity&Version=2011-06-15",
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MILLISECONDS),
  });
  const text = await response.text();
  return response.status === 403 && text.includes("MissingAuthenticationToken");
}
