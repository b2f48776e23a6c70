import type { PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";

/** PutEvents takes at most 10 entries a call. Source: Amazon EventBridge quotas. */
export const MAX_ENTRIES = 10;
/** Bytes of all entries of one call; 256 KiB hold in every Region (1 MiB since January 2026 in most). */
export const MAX_REQUEST_BYTES = 256 * 1024;
/** What the Time field counts. Source: EventBridge user guide, "Calculating PutEvents event entry size". */
const TIME_BYTES = 14;

/** An event on its way to the bus. */
export interface Publication {
  entry: PutEventsRequestEntry;
  /** Events with the same key are published in their order: "<domain>.<Aggregate>/<id>". */
  orderingKey: string;
}

/** The size of an entry as PutEvents counts it. */
export function entryBytes(entry: PutEventsRequestEntry): number {
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])];
  return TIME_BYTES + texts.reduce((bytes, text) => bytes + Buffer.byteLength(text ?? ""), 0);
}

/**
 * Takes the next batch from the front of what is waiting: at most 10 entries and 256 KiB, and never two events of one aggregate,
 * since entries fail one by one and a later event would overtake a failed earlier one. Order within an aggregate is kept: an event
 * is passed over only together with all later ones of its aggregate.
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
