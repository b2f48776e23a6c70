import { log } from "../function/log";
import { loggedReason } from "../function/private-values";
import { hold } from "./holds";
import { heldBehind, type PublishableRecord, type Quarantining } from "./plan-batch";
import type { Published } from "./publish";
import { isGivenUp } from "./publish-failure";
import { quarantine } from "./quarantine";
import type { RelayTargets } from "./relay-record";

/** The events to give up because the bus does not take them, each with what waits behind it. */
export function givenUp({ waiting, failures, accepted }: Published<PublishableRecord>): Quarantining[] {
  /** Of each given up aggregate, the version that is held. */
  const held = new Map<string, number>();
  return waiting.flatMap((planned): Quarantining[] => {
    const { aggregateKey, version, record } = planned;
    const heldAt = held.get(aggregateKey);
    if (heldAt !== undefined) return [{ planned, reason: heldBehind(heldAt) }];
    const failure = failures.get(planned);
    const age = record.arrivedAt === undefined ? 0 : Date.now() - record.arrivedAt * 1_000;
    if (!failure || !isGivenUp(failure, age, accepted)) return [];
    held.set(aggregateKey, version);
    const reason = `The bus does not take the event (${failure.code ?? "without a code"}).`;
    return [{ planned, reason, detail: failure.reason, holdAt: version }];
  });
}

/**
 * Holds a record's aggregate and quarantines the record, in this order: an invocation that ends in between is
 * repeated, and finds the event next.
 *
 * @returns whether it is in the quarantine queue now
 */
export async function tryToQuarantine(
  { planned, reason, detail, holdAt }: Quarantining,
  stream: string,
  targets: Pick<RelayTargets, "queues" | "quarantineQueue" | "holds">,
  inTime: () => AbortSignal,
): Promise<boolean> {
  const { record, aggregateKey, version } = planned;
  const { sequenceNumber, partitionKey, payload } = record;
  const place = { stream, sequenceNumber };
  try {
    if (holdAt !== undefined && aggregateKey !== undefined)
      await hold(targets.holds, aggregateKey, holdAt, inTime());
    const quarantined = {
      ...place,
      ...(partitionKey ? { partitionKey } : {}),
      ...(aggregateKey !== undefined && version !== undefined ? { aggregateKey, version } : {}),
      reason: detail ? `${reason} ${detail}` : reason,
      payload: payload(),
    };
    await quarantine(targets.queues, targets.quarantineQueue, quarantined, inTime());
    log("error", "Quarantined a record", { ...place, reason });
    return true;
  } catch (error) {
    log("error", "Could not quarantine a record", { ...place, unpublished: reason, ...loggedReason(error) });
    return false;
  }
}
