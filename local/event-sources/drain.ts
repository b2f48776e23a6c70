import { codedError } from "../../runtime/function/coded-error";
import type { EventSource } from "./event-source";
import { sleep } from "./pace";

/** Between two looks, so that what is on its way inside the emulator arrives. */
const SETTLE_MILLISECONDS = 50;
const DEFAULT_TIMEOUT_MILLISECONDS = 60_000;

/**
 * Waits until nothing is left in a chain of event sources, each of which may feed others: twice in a row all of
 * them were idle, and none did anything in between. Changes that are not yet in a stream or queue are not taken
 * into account.
 *
 * @throws EVENT_SOURCE_NOT_DRAINED after the time-out (default 60 s), naming the sources that are not idle
 */
export async function waitUntilAllDrained(
  sources: readonly EventSource[],
  { timeoutMilliseconds = DEFAULT_TIMEOUT_MILLISECONDS } = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMilliseconds;
  const never = new AbortController().signal;
  let idleSince: string | undefined;
  for (;;) {
    const before = activity(sources);
    const idle = await Promise.all(sources.map((source) => source.isIdle()));
    const isQuiet = idle.every(Boolean) && activity(sources) === before;
    if (isQuiet && idleSince === before) return;
    idleSince = isQuiet ? before : undefined;
    if (Date.now() >= deadline) throw notDrained(sources, idle, timeoutMilliseconds);
    await sleep(SETTLE_MILLISECONDS, never);
  }
}

/** Changes whenever one of the sources does something. */
function activity(sources: readonly EventSource[]): string {
  return JSON.stringify(sources.map((source) => source.status().counts));
}

function notDrained(sources: readonly EventSource[], idle: readonly boolean[], milliseconds: number) {
  const busy = sources.flatMap((source, index) => (idle[index] ? [] : [source.status()]));
  const names = busy.map(({ sourceArn, functionName, state, inFlight, problems }) => {
    const problem = problems[0] ? `, ${problems[0].code}: ${problems[0].message}` : "";
    return `"${sourceArn}" of "${functionName}" (${state}, ${inFlight} in flight${problem})`;
  });
  return codedError(
    "EVENT_SOURCE_NOT_DRAINED",
    `After ${milliseconds} ms, records were still waiting in: ${names.join("; ") || "sources that feed each other"}.`,
  );
}
