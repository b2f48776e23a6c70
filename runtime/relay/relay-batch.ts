import type { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { OutboxRecord } from "../cloud-event";
import { errorCode } from "../coded-error";
import { log } from "../log";
import { publicationOf, type RecordPublication } from "./publication";
import { publish } from "./publish";
import { quarantine } from "./quarantine";

/** A stream record, decoded as far as it can be. */
export type StreamRecord = { sequenceNumber: string } & (
  | { kind: "event"; record: OutboxRecord }
  | { kind: "ignored" }
  | { kind: "undecodable"; reason: string; payload: Buffer; partitionKey?: string }
);

/** Where a relay publishes to. */
export interface RelayTargets {
  events: EventBridgeClient;
  queues: SQSClient;
  eventBus: string;
  quarantineQueue: string;
}

/** The partial batch response of a stream: Lambda goes on from the lowest sequence number that is named. */
export interface StreamBatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}

/** Time kept back from the function's timeout, to answer in. */
const RESERVE_MILLISECONDS = 3_000;

/**
 * Relays a batch of stream records, which come in the stream's order: events go to the bus in order per aggregate, records that
 * cannot be decoded are set aside, others are left out.
 *
 * @returns the first record that is neither published nor set aside; Lambda retries from there on, so nothing is lost, and what was
 *   published after it is published again
 */
export async function relayBatch(
  records: StreamRecord[],
  stream: string,
  targets: RelayTargets,
  getRemainingTimeInMillis: () => number,
): Promise<StreamBatchResponse> {
  const unfinished = new Set<string>();
  const publications: RecordPublication[] = [];
  for (const record of records) {
    if (record.kind === "event") {
      publications.push(publicationOf(record.record, targets.eventBus, record.sequenceNumber));
    } else if (record.kind === "undecodable" && !(await setAside(record, stream, targets))) {
      unfinished.add(record.sequenceNumber);
    }
  }
  const remainingMilliseconds = () => getRemainingTimeInMillis() - RESERVE_MILLISECONDS;
  for (const { sequenceNumber } of await publish(targets.events, publications, { remainingMilliseconds })) {
    unfinished.add(sequenceNumber);
  }
  const first = records.find(({ sequenceNumber }) => unfinished.has(sequenceNumber));
  const counts = { records: records.length, events: publications.length, unfinished: unfinished.size };
  log(first ? "warn" : "info", first ? "Records are given back to the stream" : "Records relayed", counts);
  return { batchItemFailures: first ? [{ itemIdentifier: first.sequenceNumber }] : [] };
}

async function setAside(
  record: StreamRecord & { kind: "undecodable" },
  stream: string,
  targets: RelayTargets,
): Promise<boolean> {
  const { kind: _kind, ...undecodable } = record;
  const { sequenceNumber, reason } = undecodable;
  log("error", "A record cannot be decoded and is set aside", { stream, sequenceNumber, reason });
  try {
    await quarantine(targets.queues, targets.quarantineQueue, { stream, ...undecodable });
    return true;
  } catch (error) {
    const failure = { code: errorCode(error), reason: (error as Error).message };
    log("error", "A record could not be set aside", { stream, sequenceNumber, ...failure });
    return false;
  }
}
