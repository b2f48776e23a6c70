import { withSchemasMadeOnce } from "../../runtime/store/handles";
import { marshall } from "@aws-sdk/util-dynamodb";
import { EventBridgeClient, type PutEventsCommand } from "@aws-sdk/client-eventbridge";
import type { DynamoDBStreamEvent, KinesisStreamEvent } from "aws-lambda";
import { mockClient } from "aws-sdk-client-mock";
import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { aggregate, table } from "../../runtime";
import type { OutboxRecord, ReceivedEvent } from "../../runtime/envelope/cloud-event";
import { readMessages } from "../../runtime/function/queue-messages";
import { type DynamoChange, dynamoWrite } from "../../runtime/dynamodb/writes";
import { makeDynamoRelay } from "../../runtime/relay/dynamodb-relay";
import { makeKinesisRelay } from "../../runtime/relay/kinesis-relay";
import { isCarried } from "../support/domain/carried";
import { capturedLog } from "../support/process/captured-log";
import { queueBatch } from "../support/domain/domain-events";
import { fakeHolds, HOLDS_TABLE } from "../support/dynamodb/fake-holds";
import { dmsRecord, dynamoStreamEvent, kinesisEvent, lambdaContext } from "../support/domain/outbox-records";

const bus = mockClient(EventBridgeClient);
fakeHolds();
/** What the relays publish. */
const THING_EVENTS = { "any.Thing": ["ThingChanged"] };
capturedLog();
/** The bodies of the messages that the bus puts into the queue of a subscriber. */
let bodies: string[] = [];
beforeEach(() => {
  vi.stubEnv("EVENT_BUS_NAME", "domain-events");
  vi.stubEnv("QUARANTINE_QUEUE_URL", "https://queue/quarantine");
  vi.stubEnv("HOLDS_TABLE", HOLDS_TABLE);
  vi.stubEnv("AWS_REGION", "us-east-1");
  bus.send.callsFake((async ({ input: { Entries = [] } }: PutEventsCommand) => {
    // The bus and the queue carry bytes of UTF-8; the detail is put in as JSON.
    const messages = Entries.map(
      ({ Source, DetailType, Detail = "" }) =>
        `{"version":"0","source":${JSON.stringify(Source)},"detail-type":${JSON.stringify(DetailType)},"detail":${Detail}}`,
    );
    bodies.push(...messages.map((message) => Buffer.from(message).toString()));
    return { Entries: Entries.map(() => ({ EventId: "e" })) };
  }) as never);
});

/** Whatever an event may say: any text of Unicode, any number, any nesting that is carried. */
const codePoint = fc
  .oneof(fc.integer({ min: 1, max: 0x24f }), fc.integer({ min: 1, max: 0x10ffff }))
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));
const unit = fc.constantFrom("grapheme" as const, codePoint);
const text = unit.chain((unit) => fc.string({ unit, minLength: 1, maxLength: 30 })).filter(isCarried);
const json = unit.chain((stringUnit) => fc.jsonValue({ maxDepth: 3, stringUnit }));
const object = fc.dictionary(text, json, { maxKeys: 4 }).filter(isCarried);
const outboxRecords = fc.record({
  id: fc.uuid({ version: 7 }),
  aggregate: fc.constantFrom("any.Thing"),
  aggregateId: text,
  aggregateVersion: fc.integer({ min: 1 }),
  type: fc.constant("ThingChanged"),
  schemaVersion: fc.integer({ min: 1, max: 1_000 }),
  data: fc.record({ change: object, state: fc.option(object) }),
  occurredAt: fc
    .date({ min: new Date("1970-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
    .map((date) => date.toISOString()),
  correlationId: text,
  causationId: fc.option(text, { nil: undefined }),
  traceparent: fc.option(text, { nil: undefined }),
});

const Thing = aggregate("any.Thing", {
  key: "thingId",
  state: () => z.object({ thingId: z.string(), more: z.unknown() }),
  events: { ThingChanged: { version: 7, change: () => z.looseObject({}) } },
});
const things = table(Thing);
const TABLES = {
  entities: { things: "things" },
  outbox: "outbox",
  inbox: "inbox",
  outboxRetentionDays: 1,
  inboxRetentionDays: 1,
};

/** What the one subscriber reads of what a relay published. */
function received(): ReceivedEvent {
  expect(bodies).toHaveLength(1);
  const { messages, unreadable } = readMessages(queueBatch(bodies), Thing);
  expect(unreadable).toEqual([]);
  return messages[0]!.received;
}

/** As JSON has it, in which -0 is 0. */
const asJson = (value: object) => JSON.parse(JSON.stringify(value)) as object;

function expectSame({ event, version, schemaVersion }: ReceivedEvent, record: OutboxRecord) {
  expect({
    id: event.id,
    aggregateId: event.subject,
    aggregateVersion: version,
    type: event.type,
    schemaVersion,
    data: event.data,
    occurredAt: event.time,
    correlationId: event.correlationid,
    causationId: event.causationid,
    traceparent: event.traceparent,
  }).toEqual({ ...asJson(record), aggregate: undefined });
}

describe("an event arrives at its subscriber as it was written, whatever it says", () => {
  test("from a row that DMS captured, over Kinesis, the bus and the queue", async () => {
    const relay = makeKinesisRelay(THING_EVENTS).callbackFactory();
    const property = fc.asyncProperty(outboxRecords, fc.boolean(), async (record, withNulls) => {
      bodies = [];
      const absent = withNulls ? null : undefined;
      const row = {
        id: record.id,
        aggregate: record.aggregate,
        aggregate_id: record.aggregateId,
        aggregate_version: record.aggregateVersion,
        type: record.type,
        schema_version: record.schemaVersion,
        payload: JSON.stringify(record.data),
        occurred_at: record.occurredAt,
        correlation_id: record.correlationId,
        causation_id: record.causationId ?? absent,
        traceparent: record.traceparent ?? absent,
      };
      const batch: KinesisStreamEvent = kinesisEvent([dmsRecord(row)]);
      expect(await relay(batch, lambdaContext())).toEqual({ batchItemFailures: [] });
      expectSame(received(), record);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test("from a change of an item, over the table's stream, the bus and the queue", async () => {
    const relay = makeDynamoRelay(THING_EVENTS).callbackFactory();
    const property = fc.asyncProperty(outboxRecords, async (record) => {
      bodies = [];
      const { aggregateId: thingId, data, occurredAt } = record;
      const row = { more: data.state, thingId, version: record.aggregateVersion - 1 };
      const { type: event } = record;
      const base = {
        kind: "change",
        table: "things",
        definition: withSchemasMadeOnce(things),
        event,
        change: data.change,
        row,
      } as const;
      const staged: DynamoChange =
        data.state === null ? { ...base, operation: "remove" } : { ...base, operation: "update", fields: {} };
      const { actions, committed } = dynamoWrite(staged, TABLES, record, new Date(occurredAt));
      const NewImage = marshall(actions[1].Put?.Item ?? {}, { removeUndefinedValues: true });
      const batch: DynamoDBStreamEvent = dynamoStreamEvent([{ eventName: "INSERT", NewImage }]);
      expect(await relay(batch, lambdaContext())).toEqual({ batchItemFailures: [] });
      const state = data.state && { more: data.state, thingId };
      const written = { id: committed.eventId, schemaVersion: 7, data: { change: data.change, state } };
      expectSame(received(), { ...record, ...written });
    });
    await fc.assert(property, { numRuns: 200 });
  });
});
