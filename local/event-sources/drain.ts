import { codedError } from "../../runtime/function/coded-error";
import type { EventSource } from "./event-source";
import { sleep } from "./pace";
import { type ProgressWatch, watchProgress } from "./progress";

/** Between two looks, so that what is on its way inside the emulator arrives. */
const SETTLE_MILLISECONDS = 50;
const DEFAULT_STALL_MILLISECONDS = 60_000;

/** When waiting ends in an error. */
export interface DrainOptions {
  /**
   * How long nothing may move: no record is processed. There is no limit on the whole, since a busy machine is
   * slow and not stuck. @default 60 s
   */
  stallMilliseconds?: number;
  /** Watches more than these sources, in place of `stallMilliseconds`. */
  watch?: ProgressWatch;
}

/**
 * Waits until nothing is left in a chain of event sources, each of which may feed others: twice in a row all of
 * them were idle, and none did anything in between. Changes that are not yet in a stream or queue are not taken
 * into account.
 *
 * @throws EVENT_SOURCE_NOT_DRAINED once nothing moves any more, naming the sources that are not idle
 */
export async function waitUntilAllDrained(
  sources: readonly EventSource[],
  { stallMilliseconds = DEFAULT_STALL_MILLISECONDS, watch }: DrainOptions = {},
): Promise<void> {
  const progress = watch ?? watchProgress(() => processed(sources), stallMilliseconds);
  const never = new AbortController().signal;
  let idleSince: string | undefined;
  for (;;) {
    const before = activity(sources);
    const idle = await Promise.all(sources.map((source) => source.isIdle()));
    const isQuiet = idle.every(Boolean) && activity(sources) === before;
    if (isQuiet && idleSince === before) return;
    idleSince = isQuiet ? before : undefined;
    if (progress.isStalled()) throw notDrained(sources, idle);
    await sleep(SETTLE_MILLISECONDS, never);
  }
}

/** Changes whenever a source has finished with a record. A record that fails again and again changes nothing. */
export function processed(sources: readonly EventSource[]): string {
  return JSON.stringify(
    sources.map((source) => {
      const { succeeded, filtered } = source.status().counts;
      return succeeded + filtered;
    }),
  );
}

/** Changes whenever one of the sources does something. */
function activity(sources: readonly EventSource[]): string {
  return JSON.stringify(sources.map((source) => source.status().counts));
}

function notDrained(sources: readonly EventSource[], idle: readonly boolean[]) {
  const busy = sources.flatMap((source, index) => (idle[index] ? [] : [source.status()]));
  const names = busy.map(({ sourceArn, functionName, state, inFlight, counts, problems }) => {
    const problem = problems[0] ? `, ${problems[0].code}: ${problems[0].message}` : "";
    const failed = counts.failed > 0 ? `, ${counts.failed} failed` : "";
    return `"${sourceArn}" of "${functionName}" (${state}, ${inFlight} in flight${failed}${problem})`;
  });
  return codedError(
    "EVENT_SOURCE_NOT_DRAINED",
    `No record was processed any more, and records are still waiting in: ${names.join("; ") || "sources that feed each other"}. ` +
      "Look at the logs of these functions.",
  );
}
