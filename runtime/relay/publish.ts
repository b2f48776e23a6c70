import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
  type PutEventsResultEntry,
} from "@aws-sdk/client-eventbridge";
import { type OutboxRecord, toCloudEvent } from "../envelope/cloud-event";
import { log } from "../function/log";
import { loggedReason } from "../function/private-values";
import {
  failureOfCall,
  failureOfEntry,
  followed,
  MAX_FAILED_ROUNDS,
  type PublishFailure,
} from "./publish-failure";

/** PutEvents takes at most 10 entries per call. Source: Amazon EventBridge quotas. */
export const MAX_ENTRIES = 10;
/** Bytes of all entries of one call: 256 KiB in every Region (1 MiB since January 2026 in most). */
export const MAX_REQUEST_BYTES = 256 * 1024;
/**
 * Bytes that the Time field counts. Source: EventBridge user guide, "Calculating PutEvents event entry size".
 */
const TIME_BYTES = 14;

/** An event to be published on the bus. */
export interface Publication {
  entry: PutEventsRequestEntry;
  /** Events with the same key are published in order: "<domain>.<Aggregate>/<id>". */
  orderingKey: string;
}

/**
 * Makes the bus entry of an outbox record: source = domain, detail type = event type, detail = the
 * CloudEvent.
 */
export function publicationOf(record: OutboxRecord, eventBus: string): Publication {
  const event = toCloudEvent(record);
  return {
    orderingKey: `${record.aggregate}/${record.aggregateId}`,
    entry: {
      EventBusName: eventBus,
      Source: event.source,
      DetailType: event.type,
      Time: new Date(event.time),
      Detail: JSON.stringify(event),
    },
  };
}

/** How long failed entries are retried. */
export interface PublishLimits {
  /** Milliseconds left for publishing; called after every PutEvents call. */
  remainingMilliseconds: () => number;
  /** Rounds in which each failed event is tried once, before the rest is returned. @default 5 */
  maxFailedRounds?: number;
}

/** What became of the events. */
export interface Published<P extends Publication> {
  /** Not on the bus, in order: they failed, or wait behind one of their aggregate that failed. */
  waiting: P[];
  /** Why, of each waiting event that was sent. */
  failures: ReadonlyMap<P, PublishFailure>;
  /** Events that the bus took. */
  accepted: number;
}

const FIRST_PAUSE_MILLISECONDS = 50;
const MAX_PAUSE_MILLISECONDS = 2_000;
/** Milliseconds that a call may take when the time is up: the caller keeps some back. */
const LAST_CALL_MILLISECONDS = 1_000;

/**
 * Publishes events on the bus, in order per aggregate. PutEvents answers per entry: failed entries are tried
 * again with backoff and jitter, and no later event of their aggregate is sent before them. In each round every
 * other aggregate is served first, so that events that fail delay only their own aggregates. A call that is
 * refused as a whole is split until the event is found for which it was refused.
 */
export async function publish<P extends Publication>(
  client: EventBridgeClient,
  publications: readonly P[],
  { remainingMilliseconds, maxFailedRounds = MAX_FAILED_ROUNDS }: PublishLimits,
): Promise<Published<P>> {
  const failures = new Map<P, PublishFailure>();
  let waiting = [...publications];
  let accepted = 0;
  for (let round = 1; waiting.length > 0; round += 1) {
    const failedAggregates = new Set<string>();
    for (let batch = nextBatch(waiting); batch.length > 0; batch = nextBatch(waiting, failedAggregates)) {
      const failed = await send(client, batch, remainingMilliseconds);
      for (const [publication, failure] of failed) {
        const earlier = failures.get(publication);
        failures.set(publication, followed(earlier, failure));
        failedAggregates.add(publication.orderingKey);
      }
      const done = new Set(batch.filter((publication) => !failed.has(publication)));
      for (const publication of done) failures.delete(publication);
      accepted += done.size;
      waiting = waiting.filter((publication) => !done.has(publication));
      // Return before the function times out: after a timeout it would publish the same events again, without
      // end.
      if (remainingMilliseconds() <= 0) return { waiting, failures, accepted };
      if (isUnreachable(failed, batch.length)) break;
    }
    const pause = pauseMilliseconds(round);
    if (round >= maxFailedRounds || remainingMilliseconds() < pause) break;
    if (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return { waiting, failures, accepted };
}

/** The next batches would fail too: a pause helps more. */
function isUnreachable(failed: ReadonlyMap<unknown, PublishFailure>, sent: number): boolean {
  return failed.size === sent && [...failed.values()].every(({ kind }) => kind === "unreachable");
}

/**
 * Takes the next batch from the front of the waiting events: at most 10 entries and 256 KiB, and never two
 * events of one aggregate, because entries fail one by one and a later event could overtake a failed earlier
 * one. Skipping an event also skips all later ones of its aggregate, which keeps their order.
 *
 * @param skipped ordering keys of which nothing is taken. @default none
 */
export function nextBatch<P extends Publication>(
  waiting: readonly P[],
  skipped: ReadonlySet<string> = new Set(),
): P[] {
  const batch: P[] = [];
  const passed = new Set(skipped);
  let bytes = 0;
  for (const publication of waiting) {
    if (batch.length === MAX_ENTRIES) break;
    const size = entryBytes(publication.entry);
    const fits = batch.length === 0 || bytes + size <= MAX_REQUEST_BYTES;
    if (fits && !passed.has(publication.orderingKey)) {
      batch.push(publication);
      bytes += size;
    }
    passed.add(publication.orderingKey);
  }
  return batch;
}

/** The size of an entry as PutEvents counts it. */
export function entryBytes(entry: PutEventsRequestEntry): number {
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])];
  return TIME_BYTES + texts.reduce((bytes, text) => bytes + Buffer.byteLength(text ?? ""), 0);
}

/** Sends one batch, in halves when the call is refused as a whole. @returns the publications that failed */
async function send<P extends Publication>(
  client: EventBridgeClient,
  batch: readonly P[],
  remainingMilliseconds: () => number,
): Promise<Map<P, PublishFailure>> {
  const Entries = batch.map(({ entry }) => entry);
  // A call that is never answered must not take all the time that is left.
  const abortSignal = AbortSignal.timeout(Math.max(remainingMilliseconds(), LAST_CALL_MILLISECONDS));
  try {
    const answer = await client.send(new PutEventsCommand({ Entries }), { abortSignal });
    const results: (PutEventsResultEntry | undefined)[] = answer.Entries ?? [];
    // An entry is published only if the answer confirms it: an event id, and no error.
    const failed = batch.flatMap((publication, index) => {
      const result = results[index];
      if (result?.EventId && !result.ErrorCode) return [];
      return [[publication, failureOfEntry(result)] as const];
    });
    if (failed.length > 0) {
      const codes = results.flatMap((result) => result?.ErrorCode ?? []);
      log("warn", "PutEvents failed for some entries", { failed: failed.length, of: batch.length, codes });
    }
    return new Map(failed);
  } catch (error) {
    const failure = failureOfCall(error);
    const { code, reason } = loggedReason(error);
    // A refusal may quote the entries.
    const logged = failure.kind === "unreachable" ? { code, reason } : { code };
    log("error", "PutEvents failed", { of: batch.length, ...logged });
    if (failure.kind === "unreachable" || batch.length === 1 || remainingMilliseconds() <= 0) {
      // What is refused together with others is not known to be the cause.
      const { kind } = batch.length === 1 ? failure : { kind: "unreachable" as const };
      return new Map(batch.map((publication) => [publication, { ...failure, kind }]));
    }
    const middle = Math.ceil(batch.length / 2);
    const first = await send(client, batch.slice(0, middle), remainingMilliseconds);
    const second = await send(client, batch.slice(middle), remainingMilliseconds);
    return new Map([...first, ...second]);
  }
}

function pauseMilliseconds(failedRounds: number): number {
  return Math.random() * Math.min(MAX_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** failedRounds);
}
