import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Context } from "aws-lambda";
import { type Handler, handler } from "../function/handler";
import { log } from "../function/log";
import { loggedReason } from "../function/private-values";
import { advanceHold, type Holds, readHolds } from "./holds";
import type { KnownEvents } from "./known-events";
import { inOrder, planBatch, type PublishableRecord, type Quarantining } from "./plan-batch";
import { publish } from "./publish";
import { givenUp, tryToQuarantine } from "./quarantine-record";
import type { RelayRecord, RelayTargets } from "./relay-record";

/** The variables that name a relay's targets. */
const VARIABLES = ["EVENT_BUS_NAME", "QUARANTINE_QUEUE_URL", "HOLDS_TABLE"] as const;
/** The handler of a relay. */
export type RelayHandler = Handler<(typeof VARIABLES)[number]>;

/**
 * Makes the handler of a relay.
 *
 * @param known the events that it publishes
 * @param decode decodes a record of its stream
 */
export function makeRelay<R extends { eventSourceARN?: string | undefined }>(
  known: KnownEvents,
  decode: (record: R) => RelayRecord,
) {
  return handler(VARIABLES, ({ EVENT_BUS_NAME, QUARANTINE_QUEUE_URL, HOLDS_TABLE }) => {
    const targets: RelayTargets = {
      known,
      events: new EventBridgeClient({}),
      queues: new SQSClient({}),
      holds: { client: new DynamoDBClient({}), tableName: HOLDS_TABLE },
      eventBus: EVENT_BUS_NAME,
      quarantineQueue: QUARANTINE_QUEUE_URL,
    };
    return async ({ Records }: { Records: R[] }, context: Context): Promise<StreamBatchResponse> => {
      const stream = Records[0]?.eventSourceARN ?? "";
      return relayBatch(Records.map(decode), stream, targets, () => context.getRemainingTimeInMillis());
    };
  });
}

/** The partial batch response of a stream: Lambda retries from the lowest sequence number in it. */
export interface StreamBatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}

/** Time kept back from the function's timeout, to answer in. */
const RESERVE_MILLISECONDS = 3_000;
/** The least that a call may take. */
const LAST_CALL_MILLISECONDS = 1_000;

/**
 * Relays a batch of stream records, in the stream's order: publishes events on the bus in order per aggregate,
 * and quarantines what cannot be decoded or published. The aggregate of a quarantined event is held: its later
 * events follow into the quarantine (holds.ts). Nothing else waits.
 *
 * @returns the first record that is neither published nor quarantined. Lambda retries from there on until the
 *   stream deletes the record; later records that were already published are published again
 */
export async function relayBatch(
  records: RelayRecord[],
  stream: string,
  targets: RelayTargets,
  getRemainingTimeInMillis: () => number,
): Promise<StreamBatchResponse> {
  const remainingMilliseconds = () => getRemainingTimeInMillis() - RESERVE_MILLISECONDS;
  const inTime = () => AbortSignal.timeout(Math.max(remainingMilliseconds(), LAST_CALL_MILLISECONDS));
  const unfinished = new Set<string>();
  const planned = planBatch(records, targets);
  const keys = planned.flatMap(({ aggregateKey }) => aggregateKey ?? []);
  // 1. Find out which aggregates are held. Without that, nothing can be published in order.
  const holds = await readHolds(targets.holds, keys, inTime()).catch((error: unknown) => {
    log("error", "Could not read the holds", loggedReason(error));
  });
  if (holds) {
    const quarantineAll = async (all: Quarantining[]) => {
      for (const one of all) {
        const { sequenceNumber } = one.planned.record;
        const isDone = remainingMilliseconds() > 0 && (await tryToQuarantine(one, stream, targets, inTime));
        if (isDone) unfinished.delete(sequenceNumber);
        else unfinished.add(sequenceNumber);
      }
    };
    // 2. Quarantine what cannot be published, and what waits behind it or behind a hold.
    const { publications, quarantining, held } = inOrder(planned, holds);
    await quarantineAll(quarantining);
    // 3. Publish the rest, and let the next events of held aggregates pass.
    const published = await publish(targets.events, publications, { remainingMilliseconds });
    for (const { record } of published.waiting) unfinished.add(record.sequenceNumber);
    const passed = publications.filter((one) => !unfinished.has(one.record.sequenceNumber));
    for (const failed of await advance(passed, held, targets, inTime)) unfinished.add(failed);
    // 4. Give up what the bus does not take, with what waits behind it.
    await quarantineAll(givenUp(published));
  } else {
    for (const { record } of planned) unfinished.add(record.sequenceNumber);
  }
  const first = records.find(({ sequenceNumber }) => unfinished.has(sequenceNumber));
  const counts = { records: records.length, events: planned.length, unfinished: unfinished.size };
  log(first ? "warn" : "info", first ? "Returned records to the stream" : "Relayed records", counts);
  return { batchItemFailures: first ? [{ itemIdentifier: first.sequenceNumber }] : [] };
}

/**
 * Advances holds past what was published.
 *
 * @param held the versions at which aggregates are held
 * @returns the records for which that failed: they are relayed again
 */
async function advance(
  published: readonly PublishableRecord[],
  held: Holds,
  targets: RelayTargets,
  inTime: () => AbortSignal,
): Promise<string[]> {
  const failed: string[] = [];
  for (const [aggregateKey, from] of held) {
    const passed = published.filter((one) => one.aggregateKey === aggregateKey && one.version >= from);
    const last = passed.at(-1);
    if (!last) continue;
    try {
      await advanceHold(targets.holds, aggregateKey, { from, to: last.version + 1 }, inTime());
    } catch (error) {
      log("error", "Could not advance a hold", loggedReason(error));
      failed.push(...passed.map(({ record }) => record.sequenceNumber));
    }
  }
  return failed;
}
