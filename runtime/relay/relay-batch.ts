import type { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { OutboxRecord } from "../envelope/cloud-event";
import { errorCode } from "../function/coded-error";
import { log } from "../function/log";
import { entryBytes, MAX_REQUEST_BYTES } from "./batches";
import { publicationOf, type RecordPublication } from "./publication";
import { publish } from "./publish";
import { quarantine } from "./quarantine";

/** A stream record, decoded as far as it can be. */
export type StreamRecord = {
  sequenceNumber: string;
  /** Kinesis only. */
  partitionKey?: string;
  /** Makes its content, byte for byte, where it has to be set aside. */
  payload: () => Buffer;
} & ({ kind: "event"; record: OutboxRecord } | { kind: "ignored" } | { kind: "undecodable"; reason: string });

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
    const { sequenceNumber } = record;
    const reading = publicationIn(record, targets.eventBus);
    if (reading?.publication) publications.push(reading.publication);
    else if (reading && !(await setAside(record, reading.reason, stream, targets)))
      unfinished.add(sequenceNumber);
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

/** What there is to publish of a record, or why it cannot be; nothing for a record that is left out. */
function publicationIn(
  record: StreamRecord,
  eventBus: string,
): { publication: RecordPublication } | { publication?: never; reason: string } | undefined {
  if (record.kind === "ignored") return undefined;
  if (record.kind === "undecodable") return record;
  const publication = publicationOf(record.record, eventBus, record.sequenceNumber);
  const bytes = entryBytes(publication.entry);
  if (bytes <= MAX_REQUEST_BYTES) return { publication };
  // The bus would refuse it for ever.
  return {
    reason: `The event has ${bytes} bytes as an entry of the bus; the limit is ${MAX_REQUEST_BYTES}.`,
  };
}

async function setAside(
  { sequenceNumber, partitionKey, payload }: StreamRecord,
  reason: string,
  stream: string,
  targets: RelayTargets,
): Promise<boolean> {
  log("error", "A record cannot be decoded and is set aside", { stream, sequenceNumber, reason });
  try {
    const record = {
      stream,
      sequenceNumber,
      ...(partitionKey ? { partitionKey } : {}),
      reason,
      payload: payload(),
    };
    await quarantine(targets.queues, targets.quarantineQueue, record);
    return true;
  } catch (error) {
    const failure = { code: errorCode(error), reason: (error as Error).message };
    log("error", "A record could not be set aside", { stream, sequenceNumber, ...failure });
    return false;
  }
}
