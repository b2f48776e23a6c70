import { entryBytes, MAX_REQUEST_BYTES, type Publication, publicationOf } from "./publish";
import type { EventIdentity } from "./decode-captured";
import type { Holds } from "./holds";
import { isKnownAggregate, type KnownEvents, unknownEvent } from "./known-events";
import type { RelayRecord } from "./relay-record";

/** A record that is to be published or quarantined. */
export interface PlannedRecord {
  record: RelayRecord;
  /**
   * "<domain>.<Aggregate>/<id>", and the version. Absent where they cannot be told, and for an aggregate that the
   * relay does not publish, which has no order to keep.
   */
  aggregateKey?: string;
  version?: number;
}

/** A record whose event can be published. */
export type PublishableRecord = Required<PlannedRecord> & Publication;

/** A record that is to be quarantined. */
export interface Quarantining {
  planned: PlannedRecord;
  reason: string;
  /** More about the reason, which may quote the event: for the queue, not for the log. */
  detail?: string | undefined;
  /** The version at which to hold the record's aggregate. @default not: it is held already, or has no order */
  holdAt?: number | undefined;
}

/** A record without an event that can be published. */
export type UnpublishableRecord = PlannedRecord & { reason: string };

/** The records of a batch that are not ignored, each with its entry for the bus or why it has none. */
export function planBatch(
  records: readonly RelayRecord[],
  { known, eventBus }: { known: KnownEvents; eventBus: string },
): (PublishableRecord | UnpublishableRecord)[] {
  return records.flatMap((record): (PublishableRecord | UnpublishableRecord)[] => {
    if (record.kind === "ignored") return [];
    if (record.kind === "undecodable") {
      return [{ record, ...placeOf(record.identity, known), reason: record.reason }];
    }
    const place = placeOf(record.record, known);
    const reason = unknownEvent(known, record.record);
    if (reason !== undefined || !("aggregateKey" in place)) {
      return [{ record, ...place, reason: reason ?? "" }];
    }
    const publication = publicationOf(record.record, eventBus);
    const bytes = entryBytes(publication.entry);
    if (bytes <= MAX_REQUEST_BYTES) return [{ record, ...place, ...publication }];
    // The bus would refuse it at every attempt.
    const tooLarge = `The event has ${bytes} bytes as an entry of the bus; the limit is ${MAX_REQUEST_BYTES}.`;
    return [{ record, ...place, reason: tooLarge }];
  });
}

function placeOf(
  identity: EventIdentity | undefined,
  known: KnownEvents,
): { aggregateKey: string; version: number } | Record<never, never> {
  if (!identity || !isKnownAggregate(known, identity.aggregate)) return {};
  const { aggregate, aggregateId, aggregateVersion: version } = identity;
  return { aggregateKey: `${aggregate}/${aggregateId}`, version };
}

/**
 * Decides in the stream's order what may be published: of a held aggregate only the version that is next, and
 * what follows it without a gap. An event that cannot be published holds its aggregate from there on.
 *
 * @returns also `held`: the versions at which aggregates are held before anything is published
 */
export function inOrder(planned: readonly (PublishableRecord | UnpublishableRecord)[], holds: Holds) {
  const held: Holds = new Map(holds);
  /** As `held`, but after what may be published. */
  const next: Holds = new Map(holds);
  const publications: PublishableRecord[] = [];
  const quarantining: Quarantining[] = [];
  for (const one of planned) {
    const { aggregateKey, version = 0 } = one;
    const expected = aggregateKey === undefined ? undefined : next.get(aggregateKey);
    if ("reason" in one) {
      const { reason } = one;
      if (aggregateKey === undefined || (expected ?? version) < version)
        quarantining.push({ planned: one, reason });
      else {
        quarantining.push({ planned: one, reason, holdAt: version });
        next.set(aggregateKey, version);
        held.set(aggregateKey, Math.min(version, held.get(aggregateKey) ?? version));
      }
    } else if (expected === undefined || version < expected) publications.push(one);
    else if (version === expected) {
      publications.push(one);
      next.set(one.aggregateKey, version + 1);
    } else quarantining.push({ planned: one, reason: heldBehind(expected) });
  }
  return { publications, quarantining, held };
}

/** The reason of an event that waits behind an earlier one of its aggregate. */
export function heldBehind(version: number): string {
  return `It waits for version ${version} of its aggregate, which is in quarantine too.`;
}
