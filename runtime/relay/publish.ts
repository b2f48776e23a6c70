import {
  type EventBridgeClient,
  PutEventsCommand,
  type PutEventsRequestEntry,
  type PutEventsResultEntry,
} from "@aws-sdk/client-eventbridge";
import { type OutboxRecord, toCloudEvent } from "../envelope/cloud-event";
import { log } from "../function/log";
import { loggedReason } from "../function/private-values";

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

/** An outbox record to be published on the bus, and the stream record that it came from. */
export interface RecordPublication extends Publication {
  sequenceNumber: string;
}

/**
 * Makes the bus entry of an outbox record: source = domain, detail type = event type, detail = the
 * CloudEvent.
 */
export function publicationOf(
  record: OutboxRecord,
  eventBus: string,
  sequenceNumber: string,
): RecordPublication {
  const event = toCloudEvent(record);
  return {
    sequenceNumber,
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
  /** Rounds with at least one failure, before the rest is returned. @default 5 */
  maxFailedRounds?: number;
}

const FIRST_PAUSE_MILLISECONDS = 50;
const MAX_PAUSE_MILLISECONDS = 2_000;

/**
 * Publishes events on the bus, in order per aggregate. PutEvents answers per entry: failed entries are
 * retried with backoff and jitter, and no later event of their aggregate is sent before them.
 *
 * @returns the publications that are not on the bus, in order; empty when all are
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
      // Return before the function times out: after a timeout it would publish the same events again, without
      // end.
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

/**
 * Takes the next batch from the front of the waiting events: at most 10 entries and 256 KiB, and never two
 * events of one aggregate, because entries fail one by one and a later event could overtake a failed earlier
 * one. Skipping an event also skips all later ones of its aggregate, which keeps their order.
 */
export function nextBatch<P extends Publication>(waiting: readonly P[]): P[] {
  const batch: P[] = [];
  const passed = new Set<string>();
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

/** Sends one batch and returns the publications that failed: all of them when the call itself fails. */
async function putEvents<P extends Publication>(client: EventBridgeClient, batch: P[]): Promise<Set<P>> {
  try {
    const answer = await client.send(new PutEventsCommand({ Entries: batch.map(({ entry }) => entry) }));
    const results: (PutEventsResultEntry | undefined)[] = answer.Entries ?? [];
    // An entry is published only if the answer confirms it: an event id, and no error.
    const failed = batch.filter((_, index) => !results[index]?.EventId || results[index]?.ErrorCode);
    if (failed.length > 0) {
      const codes = results.flatMap((result) => result?.ErrorCode ?? []);
      log("warn", "PutEvents failed for some entries", { failed: failed.length, of: batch.length, codes });
    }
    return new Set(failed);
  } catch (error) {
    log("error", "PutEvents failed", loggedReason(error));
    return new Set(batch);
  }
}

function pauseMilliseconds(failedRounds: number): number {
  return Math.random() * Math.min(MAX_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** failedRounds);
}
