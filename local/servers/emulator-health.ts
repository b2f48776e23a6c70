/** What MiniStack says of itself. */
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
    const { version, auth, edition } = JSON.parse(text) as {
      version?: unknown;
      auth?: unknown;
      edition?: unknown;
    };
    if (typeof version !== "string") return undefined;
    return { version, authEnforced: auth === "enabled", edition: typeof edition === "string" ? edition : "" };
  } catch {
    return undefined;
  }
}

/** Whether a call without a signature is refused: the proof of what the health answer only claims. */
export async function refusesUnsignedCalls(endpoint: string): Promise<boolean> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "Action=GetCallerIdentity&Version=2011-06-15",
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MILLISECONDS),
  });
  const text = await response.text();
  return response.status === 403 && text.includes("MissingAuthenticationToken");
}
