import {
  EventBridgeClient,
  type PutEventsCommand,
  type PutEventsCommandInput,
} from "@aws-sdk/client-eventbridge";
import { type SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBStreamEvent, KinesisStreamEvent } from "aws-lambda";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { readCloudEvent } from "../../runtime/envelope/cloud-event";
import { entryBytes, MAX_REQUEST_BYTES } from "../../runtime/relay/publish";
import { makeDynamoRelay } from "../../runtime/relay/dynamodb-relay";
import { makeKinesisRelay } from "../../runtime/relay/kinesis-relay";
import { fakeHolds, HOLDS_TABLE } from "../support/dynamodb/fake-holds";
import { capturedLog } from "../support/process/captured-log";
import { brokenText, type Draw, drawing, jsonText, mutated } from "../support/domain/hostile";
import { BANK_EVENTS, dmsRecord, lambdaContext, outboxImage } from "../support/domain/outbox-records";

const bus = mockClient(EventBridgeClient);
const queue = mockClient(SQSClient);
const holds = fakeHolds();
capturedLog();
const prototype = Object.getOwnPropertyNames(Object.prototype).sort();

/** What a batch left behind. */
let published: { id: string; entry: NonNullable<PutEventsCommandInput["Entries"]>[number] }[] = [];
let quarantined: { sequenceNumber: string; payload: string }[] = [];

const putEvents = async ({ input: { Entries = [] } }: PutEventsCommand) => {
  published.push(
    ...Entries.map((entry) => ({ id: (JSON.parse(entry.Detail ?? "") as { id: string }).id, entry })),
  );
  return { Entries: Entries.map((_, index) => ({ EventId: String(index) })) };
};
const sendMessage = async ({ input: { MessageBody = "" } }: SendMessageCommand) => {
  quarantined.push(JSON.parse(MessageBody) as (typeof quarantined)[number]);
  return {};
};

beforeEach(() => {
  vi.stubEnv("EVENT_BUS_NAME", "domain-events");
  vi.stubEnv("QUARANTINE_QUEUE_URL", "https://queue/quarantine");
  vi.stubEnv("HOLDS_TABLE", HOLDS_TABLE);
  vi.stubEnv("AWS_REGION", "us-east-1");
  holds.clear();
  // One fake each, typed for any command, and not sinon's matchers, which would take longer than all the rest.
  bus.send.callsFake(putEvents as never);
  queue.send.callsFake(sendMessage as never);
});

const BATCHES = 1_250;
const BAD_PER_BATCH = 20;
/** Where in a batch the valid neighbours are. */
const NEIGHBOURS = [0, 10, BAD_PER_BATCH + 2];

/** Puts bad records and valid ones into batches and checks what becomes of each. */
async function relayed<R>(
  relay: (records: R[]) => Promise<{ batchItemFailures: object[] }>,
  record: (sequenceNumber: string) => { bad: (draw: Draw) => R; valid: (id: string) => R },
) {
  const draw = drawing(20_261_124);
  let kept = 0;
  let refused = 0;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    published = [];
    quarantined = [];
    const neighbours: string[] = [];
    const records = Array.from({ length: BAD_PER_BATCH + NEIGHBOURS.length }, (_, index) => {
      const { bad, valid } = record(String(index + 1));
      if (!NEIGHBOURS.includes(index)) return bad(draw);
      neighbours.push(`neighbour-${batch}-${index}`);
      return valid(`neighbour-${batch}-${index}`);
    });
    // Nothing is reported as failed while bus and queue answer: it would be retried forever, and all behind it
    // would wait.
    expect(await relay(records)).toEqual({ batchItemFailures: [] });
    expect(published.map(({ id }) => id).filter((id) => id.startsWith("neighbour-"))).toEqual(neighbours);
    for (const { entry } of published) {
      expect(entryBytes(entry)).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
      readCloudEvent({ detail: JSON.parse(entry.Detail ?? "") });
    }
    const parts = new Set(quarantined.map(({ sequenceNumber }) => sequenceNumber));
    expect(published.length + parts.size).toBeLessThanOrEqual(records.length);
    kept += published.length;
    refused += parts.size;
    vi.clearAllMocks();
    bus.resetHistory();
    queue.resetHistory();
  }
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototype);
  return { kept, refused };
}

describe("of 25,000 malformed records in its batches", { timeout: 120_000 }, () => {
  test("the relay of the monolith quarantines each or leaves it out, publishes only what subscribers read, and the valid ones always", async () => {
    const relay = makeKinesisRelay(BANK_EVENTS).callbackFactory();
    const kinesis = (sequenceNumber: string, content: string | Buffer) => ({
      eventSourceARN: "arn:aws:kinesis:us-east-1:000000000000:stream/cdc",
      kinesis: { sequenceNumber, data: Buffer.from(content as string).toString("base64") },
    });
    const { kept, refused } = await relayed(
      (Records) => relay({ Records } as unknown as KinesisStreamEvent, lambdaContext()),
      (sequenceNumber) => ({
        bad: (draw) => kinesis(sequenceNumber, badDmsRecord(draw)),
        valid: (id) => kinesis(sequenceNumber, JSON.stringify(dmsRecord({ id, aggregate_id: id }))),
      }),
    );
    expect(kept).toBeGreaterThan(BATCHES * NEIGHBOURS.length);
    expect(refused).toBeGreaterThan(BATCHES * 10);
  });

  test("the relay of a microservice does so too", async () => {
    const relay = makeDynamoRelay(BANK_EVENTS).callbackFactory();
    const inserted = (sequenceNumber: string, NewImage: unknown) => ({
      eventName: "INSERT",
      eventSourceARN: "arn:aws:dynamodb:us-east-1:000000000000:table/outbox/stream/1",
      dynamodb: { SequenceNumber: sequenceNumber, NewImage },
    });
    const { kept, refused } = await relayed(
      (Records) => relay({ Records } as unknown as DynamoDBStreamEvent, lambdaContext()),
      (sequenceNumber) => ({
        bad: (draw) => inserted(sequenceNumber, badImage(draw)),
        valid: (id) => inserted(sequenceNumber, outboxImage({ id: { S: id }, aggregateId: { S: id } })),
      }),
    );
    expect(kept).toBeGreaterThan(BATCHES * NEIGHBOURS.length);
    expect(refused).toBeGreaterThan(BATCHES * 10);
  });
});

/** DynamoDB refuses items that are nested more deeply, so its streams deliver none. */
const MAX_ITEM_LEVELS = 32;
const PAYLOAD = { change: { amount: 5, tags: ["a"] }, state: { owner: "Zoë", address: { city: "Turin" } } };

function badDmsRecord(draw: Draw): string | Buffer {
  const valid = dmsRecord({ payload: JSON.stringify(PAYLOAD) });
  switch (draw(6)) {
    case 0:
      return brokenText(draw, JSON.stringify(valid));
    case 1: {
      const bytes = Buffer.from(JSON.stringify(valid));
      bytes[draw(bytes.length)] = 0x80 + draw(0x80);
      return bytes;
    }
    case 2:
    case 3:
      return jsonText(dmsRecord({ payload: badPayload(draw) }));
    default:
      return jsonText(mutated(draw, valid));
  }
}

function badImage(draw: Draw): unknown {
  const valid = outboxImage({ payload: { S: JSON.stringify(PAYLOAD) } });
  if (draw(2) === 0) return { ...valid, payload: { S: badPayload(draw) } };
  return JSON.parse(jsonText(mutated(draw, valid), MAX_ITEM_LEVELS));
}

function badPayload(draw: Draw): string {
  return draw(4) === 0 ? brokenText(draw, JSON.stringify(PAYLOAD)) : jsonText(mutated(draw, PAYLOAD));
}
