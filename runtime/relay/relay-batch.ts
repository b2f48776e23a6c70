import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Context } from "aws-lambda";
import type { OutboxRecord } from "../envelope/cloud-event";
import { type Handler, handler } from "../function/handler";
import { log } from "../function/log";
import { loggedReason } from "../function/private-values";
import { entryBytes, MAX_REQUEST_BYTES, publicationOf, publish, type RecordPublication } from "./publish";
import { quarantine } from "./quarantine";

/** The variables that name a relay's targets. */
const VARIABLES = ["EVENT_BUS_NAME", "QUARANTINE_QUEUE_URL"] as const;
/** The handler of a relay. */
export type RelayHandler = Handler<(typeof VARIABLES)[number]>;

/**
 * Makes the handler of a relay.
 *
 * @param decode decodes a record of its stream
 */
export function makeRelay<R extends { eventSourceARN?: string | undefined }>(
  decode: (record: R) => RelayRecord,
) {
  return handler(VARIABLES, ({ EVENT_BUS_NAME, QUARANTINE_QUEUE_URL }) => {
    const targets: RelayTargets = {
      events: new EventBridgeClient({}),
      queues: new SQSClient({}),
      eventBus: EVENT_BUS_NAME,
      quarantineQueue: QUARANTINE_QUEUE_URL,
    };
    return async ({ Records }: { Records: R[] }, context: Context): Promise<StreamBatchResponse> => {
      const stream = Records[0]?.eventSourceARN ?? "";
      return relayBatch(Records.map(decode), stream, targets, () => context.getRemainingTimeInMillis());
    };
  });
}

/** Where a relay sends events and undecodable records. */
export interface RelayTargets {
  events: EventBridgeClient;
  queues: SQSClient;
  eventBus: string;
  quarantineQueue: string;
}

/** A stream record, decoded as far as possible. */
export type RelayRecord = {
  sequenceNumber: string;
  /** Kinesis only. */
  partitionKey?: string;
  /** Returns the record's content, byte for byte; called only for a record that is quarantined. */
  payload: () => Buffer;
} & ({ kind: "event"; record: OutboxRecord } | { kind: "ignored" } | { kind: "undecodable"; reason: string });

/** The partial batch response of a stream: Lambda retries from the lowest sequence number in it. */
export interface StreamBatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}

/** Time kept back from the function's timeout, to answer in. */
const RESERVE_MILLISECONDS = 3_000;

/**
 * Relays a batch of stream records, in the stream's order: publishes events on the bus in order per
 * aggregate, and quarantines records that cannot be decoded or published.
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
  const unfinished = new Set<string>();
  const publications: RecordPublication[] = [];
  for (const record of records) {
    const { sequenceNumber } = record;
    const reading = publicationIn(record, targets.eventBus);
    if (reading?.publication) publications.push(reading.publication);
    else if (reading && !(await tryToQuarantine(record, reading.reason, stream, targets)))
      unfinished.add(sequenceNumber);
  }
  const remainingMilliseconds = () => getRemainingTimeInMillis() - RESERVE_MILLISECONDS;
  for (const { sequenceNumber } of await publish(targets.events, publications, { remainingMilliseconds })) {
    unfinished.add(sequenceNumber);
  }
  const first = records.find(({ sequenceNumber }) => unfinished.has(sequenceNumber));
  const counts = { records: records.length, events: publications.length, unfinished: unfinished.size };
  log(first ? "warn" : "info", first ? "Returned records to the stream" : "Relayed records", counts);
  return { batchItemFailures: first ? [{ itemIdentifier: first.sequenceNumber }] : [] };
}

/** The publication of a record, or why it cannot be published; undefined for an ignored record. */
function publicationIn(
  record: RelayRecord,
  eventBus: string,
): { publication: RecordPublication } | { publication?: never; reason: string } | undefined {
  if (record.kind === "ignored") return undefined;
  if (record.kind === "undecodable") return record;
  const publication = publicationOf(record.record, eventBus, record.sequenceNumber);
  const bytes = entryBytes(publication.entry);
  if (bytes <= MAX_REQUEST_BYTES) return { publication };
  // The bus would refuse it at every attempt.
  return {
    reason: `The event has ${bytes} bytes as an entry of the bus; the limit is ${MAX_REQUEST_BYTES}.`,
  };
}

/** Quarantines a record. @returns whether it is in the quarantine queue now */
async function tryToQuarantine(
  { sequenceNumber, partitionKey, payload }: RelayRecord,
  reason: string,
  stream: string,
  targets: RelayTargets,
): Promise<boolean> {
  try {
    const record = {
      stream,
      sequenceNumber,
      ...(partitionKey ? { partitionKey } : {}),
      reason,
      payload: payload(),
    };
    await quarantine(targets.queues, targets.quarantineQueue, record);
    log("error", "Quarantined a record that cannot be decoded", { stream, sequenceNumber, reason });
    return true;
  } catch (error) {
    log("error", "Could not quarantine a record", {
      stream,
      sequenceNumber,
      undecodable: reason,
      ...loggedReason(error),
    });
    return false;
  }
}
