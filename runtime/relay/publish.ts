import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsResultEntry,
} from "@aws-sdk/client-eventbridge";
import { errorCode } from "../function/coded-error";
import { log } from "../function/log";
import { nextBatch, type Publication } from "./batches";

/** How long failed entries are tried again. */
export interface PublishLimits {
  /** Milliseconds that are left for publishing; asked after every call. */
  remainingMilliseconds: () => number;
  /** Rounds with at least one failure before the rest is given back; default 5. */
  maxFailedRounds?: number;
}

const FIRST_PAUSE_MILLISECONDS = 50;
const MAX_PAUSE_MILLISECONDS = 2_000;

/**
 * Publishes events on the bus, in order per aggregate. PutEvents answers per entry: entries that failed are tried again with
 * backoff and jitter, and no later event of their aggregate is sent before them.
 *
 * @returns the publications that are not on the bus, in their order; empty when all are
 */
export async function publish<P extends Publication>(
  client: EventBridgeClient,
  publications: readonly P[],
  limits: PublishLimits,
): Promise<P[]> {
  const { remainingMilliseconds, maxFailedRounds = 5 } = limits;
  let waiting = [...publications];
  for (let failedRounds = 0; waiting.length > 0;) {
    const batch = nextBatch(waiting);
    const failed = await putEvents(client, batch);
    const done = new Set(batch.filter((publication) => !failed.has(publication)));
    waiting = waiting.filter((publication) => !done.has(publication));
    if (failed.size === 0) {
      // What is published counts: ended by its timeout, the function would have to publish all of it again, for ever.
      if (remainingMilliseconds() <= 0) return waiting;
      continue;
    }
    failedRounds += 1;
    const pause = pauseMilliseconds(failedRounds);
    if (failedRounds >= maxFailedRounds || remainingMilliseconds() < pause) return waiting;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return waiting;
}

/** Sends one batch; returns what did not get on the bus. An error of the whole call fails all of it. */
async function putEvents<P extends Publication>(client: EventBridgeClient, batch: P[]): Promise<Set<P>> {
  try {
    const answer = await client.send(new PutEventsCommand({ Entries: batch.map(({ entry }) => entry) }));
    const results: (PutEventsResultEntry | undefined)[] = answer.Entries ?? [];
    // An entry is published only if the answer says so: with its own id and no error.
    const failed = batch.filter((_, index) => !results[index]?.EventId || results[index]?.ErrorCode);
    if (failed.length > 0) {
      const codes = results.flatMap((result) => result?.ErrorCode ?? []);
      log("warn", "PutEvents failed for some entries", { failed: failed.length, of: batch.length, codes });
    }
    return new Set(failed);
  } catch (error) {
    log("error", "PutEvents failed", { code: errorCode(error), reason: (error as Error).message });
    return new Set(batch);
  }
}

function pauseMilliseconds(failedRounds: number): number {
  return Math.random() * Math.min(MAX_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** failedRounds);
}
