import type { Context, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import type { OutboxRecord } from "../cloud-event";
import { relayBatch, type StreamBatchResponse, type StreamRecord } from "./relay-batch";
import { relayTargets } from "./targets";

/** Makes the relay of a microservice: what was added to its outbox table, from the table's stream to the bus. */
export function makeDynamoRelay() {
  return () => {
    const targets = relayTargets();
    return async (event: DynamoDBStreamEvent, context: Context): Promise<StreamBatchResponse> => {
      const stream = event.Records[0]?.eventSourceARN ?? "";
      return relayBatch(event.Records.map(decode), stream, targets, () => context.getRemainingTimeInMillis());
    };
  };
}

type Image = Record<string, { S?: string; N?: string }>;

const TEXT_FIELDS = [
  "id",
  "aggregate",
  "aggregateId",
  "type",
  "payload",
  "occurredAt",
  "correlationId",
] as const;
const NUMBER_FIELDS = ["aggregateVersion", "schemaVersion"] as const;

/** Only what was added is an event: items that expire or are removed by hand are left out. */
function decode(record: DynamoDBRecord): StreamRecord {
  const sequenceNumber = record.dynamodb?.SequenceNumber ?? "";
  if (record.eventName !== "INSERT") return { kind: "ignored", sequenceNumber };
  const image = (record.dynamodb?.NewImage ?? {}) as Image;
  const payload = Buffer.from(JSON.stringify(record.dynamodb ?? {}));
  const wrong = [
    ...TEXT_FIELDS.filter((field) => !image[field]?.S),
    ...NUMBER_FIELDS.filter(
      (field) => !(Number.isSafeInteger(Number(image[field]?.N)) && Number(image[field]?.N) > 0),
    ),
  ];
  if (wrong.length > 0) {
    return {
      kind: "undecodable",
      reason: `Missing or wrong fields: ${wrong.join(", ")}.`,
      payload,
      sequenceNumber,
    };
  }
  const text = (field: string) => image[field]?.S ?? "";
  let data: OutboxRecord["data"];
  try {
    data = JSON.parse(text("payload")) as OutboxRecord["data"];
  } catch {
    return { kind: "undecodable", reason: "The payload is not JSON.", payload, sequenceNumber };
  }
  return {
    kind: "event",
    sequenceNumber,
    record: {
      id: text("id"),
      aggregate: text("aggregate"),
      aggregateId: text("aggregateId"),
      aggregateVersion: Number(image["aggregateVersion"]?.N),
      type: text("type"),
      schemaVersion: Number(image["schemaVersion"]?.N),
      data,
      occurredAt: text("occurredAt"),
      correlationId: text("correlationId"),
      causationId: image["causationId"]?.S,
      traceparent: image["traceparent"]?.S,
    },
  };
}
