/** Factories of outbox records and stream records. */
import type { Context, DynamoDBStreamEvent, KinesisStreamEvent } from "aws-lambda";
import { v7 as uuid } from "uuid";
import type { OutboxRecord } from "../../../runtime/envelope/cloud-event";
import type { KnownEvents } from "../../../runtime/relay/known-events";
import type { RelayRecord } from "../../../runtime/relay/relay-record";

/** The events that a relay of the bank publishes. */
export const BANK_EVENTS: KnownEvents = { "bank.Account": ["AccountCredited", "AccountOpened"] };

/** An outbox record of an account. */
export function outboxRecord(overrides: Partial<OutboxRecord> = {}): OutboxRecord {
  return {
    id: uuid(),
    aggregate: "bank.Account",
    aggregateId: uuid(),
    aggregateVersion: 1,
    type: "AccountOpened",
    schemaVersion: 1,
    data: { change: {}, state: { owner: "Ada" } },
    occurredAt: "2026-05-04T03:02:01.234Z",
    correlationId: "request-1",
    causationId: "command-1",
    traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
    ...overrides,
  };
}

/** A decoded stream record with an event. */
export function eventRecord(
  sequenceNumber: string,
  overrides: Partial<OutboxRecord> = {},
): RelayRecord & { kind: "event" } {
  const record = outboxRecord(overrides);
  return { kind: "event", sequenceNumber, record, payload: () => Buffer.from(JSON.stringify(record)) };
}

/**
 * The record that AWS DMS writes for an inserted outbox row, as an object. Source: AWS DMS user guide,
 * Kinesis target.
 */
export function dmsRecord(row: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}) {
  return {
    data: {
      id: "018f3c1e-0000-7000-8000-000000000001",
      aggregate: "bank.Account",
      aggregate_id: "account-1",
      aggregate_version: 3,
      type: "AccountCredited",
      schema_version: 2,
      payload: '{"state": {"owner": "Zoë"}, "change": {"amount": 5}}',
      occurred_at: "2026-05-04T03:02:01.234567Z",
      correlation_id: "request-1",
      causation_id: "command-1",
      traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
      ...row,
    },
    metadata: {
      timestamp: "2026-05-04T03:02:02.983670Z",
      "record-type": "data",
      operation: "insert",
      "partition-key-type": "attribute-name",
      "partition-key-value": "account-1",
      "schema-name": "public",
      "table-name": "outbox",
      "commit-timestamp": "2026-05-04T03:02:01.974340Z",
      "transaction-id": 1139,
      "transaction-record-id": 1,
      "stream-position": "00000002/7C007178.3.00000002/7C007178",
      ...metadata,
    },
  };
}

/** A Kinesis batch with these contents: strings unchanged, anything else as JSON. */
export function kinesisEvent(contents: unknown[]): KinesisStreamEvent {
  const Records = contents.map((content, index) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    return {
      eventSourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/cdc",
      kinesis: {
        sequenceNumber: String(index + 1),
        partitionKey: "account-1",
        data: Buffer.from(text).toString("base64"),
      },
    };
  });
  // The relay does not read the rest of the record.
  return { Records } as unknown as KinesisStreamEvent;
}

/** The image of an outbox item in a DynamoDB stream. */
export function outboxImage(overrides: Record<string, { S?: string; N?: string } | null | undefined> = {}) {
  return {
    id: { S: "018f3c1e-0000-7000-8000-000000000001" },
    aggregate: { S: "bank.Account" },
    aggregateId: { S: "account-1" },
    aggregateKey: { S: "bank.Account#account-1" },
    aggregateVersion: { N: "3" },
    type: { S: "AccountCredited" },
    schemaVersion: { N: "2" },
    payload: { S: '{"change":{"amount":5},"state":{"owner":"Zoë"}}' },
    occurredAt: { S: "2026-05-04T03:02:01.234Z" },
    correlationId: { S: "request-1" },
    causationId: { S: "command-1" },
    traceparent: { S: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01" },
    expiresAt: { N: "1800000000" },
    ...overrides,
  };
}

/** A DynamoDB stream batch of these records, numbered from 1, without undefined fields. */
export function dynamoStreamEvent(
  records: { eventName: "INSERT" | "MODIFY" | "REMOVE"; NewImage?: object; OldImage?: object }[],
): DynamoDBStreamEvent {
  const Records = records.map(({ eventName, ...images }, index) => ({
    eventName,
    eventSourceARN: "arn:aws:dynamodb:us-east-1:000000000000:table/outbox/stream/1",
    dynamodb: { SequenceNumber: String(index + 1), ...images },
  }));
  return JSON.parse(JSON.stringify({ Records })) as DynamoDBStreamEvent;
}

/** A Lambda context with this much time left. */
export function lambdaContext(remainingMilliseconds = 30_000): Context {
  // Handlers use nothing else.
  return { getRemainingTimeInMillis: () => remainingMilliseconds } as Context;
}
