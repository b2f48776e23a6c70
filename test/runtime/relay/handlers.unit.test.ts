import { EventBridgeClient, PutEventsCommand, type PutEventsCommandInput } from "@aws-sdk/client-eventbridge";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { CloudEvent } from "../../../runtime/envelope/cloud-event";
import { makeDynamoRelay } from "../../../runtime/relay/dynamodb-relay";
import { makeKinesisRelay } from "../../../runtime/relay/kinesis-relay";
import { fakeHolds, HOLDS_TABLE } from "../../support/dynamodb/fake-holds";
import { capturedLog } from "../../support/process/captured-log";
import {
  BANK_EVENTS,
  dmsRecord,
  dynamoStreamEvent,
  kinesisEvent,
  lambdaContext,
  outboxImage,
} from "../../support/domain/outbox-records";

const bus = mockClient(EventBridgeClient);
const queue = mockClient(SQSClient);
const holds = fakeHolds();
capturedLog();

beforeEach(() => {
  bus.reset();
  queue.reset();
  vi.stubEnv("EVENT_BUS_NAME", "domain-events");
  vi.stubEnv("QUARANTINE_QUEUE_URL", "https://queue/quarantine");
  vi.stubEnv("HOLDS_TABLE", HOLDS_TABLE);
  vi.stubEnv("AWS_REGION", "us-east-1");
  holds.clear();
  vi.spyOn(Math, "random").mockReturnValue(0);
  bus.on(PutEventsCommand).callsFake(({ Entries }: PutEventsCommandInput) => ({
    Entries: Entries?.map((_, index) => ({ EventId: String(index) })),
  }));
});

const published = () =>
  bus
    .commandCalls(PutEventsCommand)
    .flatMap(({ args }) => args[0].input.Entries ?? [])
    .map(({ Detail = "" }) => JSON.parse(Detail) as CloudEvent);
const quarantined = () =>
  queue.commandCalls(SendMessageCommand).map(
    ({ args }) =>
      JSON.parse(args[0].input.MessageBody ?? "") as {
        stream: string;
        sequenceNumber: string;
        reason: string;
        payload: string;
      },
  );

const EXPECTED: Partial<CloudEvent> = {
  specversion: "1.0",
  id: "018f3c1e-0000-7000-8000-000000000001",
  source: "bank",
  type: "AccountCredited",
  subject: "account-1",
  sequence: "3",
  time: "2026-05-04T03:02:01.234Z",
  dataschema: "urn:domain-event:bank:Account:AccountCredited:2",
  correlationid: "request-1",
  causationid: "command-1",
  data: { change: { amount: 5 }, state: { owner: "Zoë" } },
};

describe("the relay of the monolith", () => {
  const relay = makeKinesisRelay(BANK_EVENTS).callbackFactory;

  test("publishes what DMS captured of the outbox and leaves everything else out", async () => {
    const update = dmsRecord({}, { operation: "update" });
    const answer = await relay()(kinesisEvent([update, dmsRecord()]), lambdaContext());
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(published()).toEqual([expect.objectContaining(EXPECTED)]);
  });

  test("quarantines a poison record byte for byte, with where it came from, and publishes the others", async () => {
    const answer = await relay()(kinesisEvent(["poison\n", dmsRecord()]), lambdaContext());
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(published()).toHaveLength(1);
    expect(quarantined()).toEqual([
      expect.objectContaining({
        stream: "arn:aws:kinesis:us-east-1:000000000000:stream/cdc",
        sequenceNumber: "1",
        payload: Buffer.from("poison\n").toString("base64"),
      }),
    ]);
  });

  test("quarantines a record of 10,000 levels without overflowing, and publishes the others", async () => {
    const payload = `{"change":{"deep":${"[".repeat(10_000)}${"]".repeat(10_000)}},"state":null}`;
    const answer = await relay()(kinesisEvent([dmsRecord({ payload }), dmsRecord()]), lambdaContext());
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(published()).toHaveLength(1);
    expect(quarantined()).toMatchObject([{ sequenceNumber: "1" }]);
  });

  test("names the first record that it could not publish", async () => {
    bus.on(PutEventsCommand).rejects(new Error("No route"));
    const answer = await relay()(kinesisEvent(["poison", dmsRecord(), dmsRecord()]), lambdaContext());
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
  });

  test("does not start without its environment", () => {
    vi.stubEnv("EVENT_BUS_NAME", "");
    expect(() => relay()).toThrow(expect.objectContaining({ code: "VARIABLE_MISSING" }));
  });
});

describe("the relay of a microservice", () => {
  const relay = (records: Parameters<typeof dynamoStreamEvent>[0]) =>
    makeDynamoRelay(BANK_EVENTS).callbackFactory()(dynamoStreamEvent(records), lambdaContext());
  const inserted = (overrides = {}) => ({ eventName: "INSERT", NewImage: outboxImage(overrides) }) as const;

  test("publishes what was added to the outbox", async () => {
    expect(await relay([inserted()])).toEqual({ batchItemFailures: [] });
    expect(published()).toEqual([expect.objectContaining(EXPECTED)]);
  });

  test("leaves out what was changed, or removed when its time had come", async () => {
    const answer = await relay([
      { eventName: "MODIFY", OldImage: outboxImage(), NewImage: outboxImage() },
      { eventName: "REMOVE", OldImage: outboxImage() },
    ]);
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(published()).toEqual([]);
    expect(quarantined()).toEqual([]);
  });

  test("publishes an event without cause and trace", async () => {
    await relay([inserted({ causationId: undefined, traceparent: undefined })]);
    expect(published()[0]).not.toHaveProperty("causationid");
    expect(published()[0]).not.toHaveProperty("traceparent");
  });

  test.each([
    ["lacks a field", { correlationId: undefined }, "Missing or wrong: correlationId."],
    [
      "has a version that is not a number",
      { aggregateVersion: { S: "x" } },
      "Missing or wrong: aggregateVersion.",
    ],
    [
      "has a payload that is not JSON",
      { payload: { S: "{" } },
      "The payload is not JSON with change and state.",
    ],
    [
      "has a payload without state",
      { payload: { S: '{"change":{}}' } },
      "The payload is not JSON with change and state.",
    ],
    [
      "has a payload that is null",
      { payload: { S: "null" } },
      "The payload is not JSON with change and state.",
    ],
    ["has attributes that are not attributes", { correlationId: null }, "Missing or wrong: correlationId."],
    ["has no time", { occurredAt: { S: "yesterday" } }, "occurredAt is not a time."],
    [
      "does not name its domain",
      { aggregate: { S: "Account" } },
      'The aggregate is not named "<domain>.<Aggregate>".',
    ],
  ])("quarantines an item that %s, and does not let it block the shard", async (_, overrides, reason) => {
    expect(await relay([inserted(overrides), inserted()])).toEqual({ batchItemFailures: [] });
    expect(published()).toHaveLength(1);
    const [record] = quarantined();
    expect(record).toMatchObject({
      stream: "arn:aws:dynamodb:us-east-1:000000000000:table/outbox/stream/1",
      sequenceNumber: "1",
      reason,
    });
    const kept = JSON.parse(Buffer.from(record!.payload, "base64").toString()) as { NewImage: object };
    expect(kept.NewImage).toEqual(JSON.parse(JSON.stringify(outboxImage(overrides))));
  });

  test("quarantines a record without an image", async () => {
    expect(await relay([{ eventName: "INSERT" }])).toEqual({ batchItemFailures: [] });
    expect(quarantined()).toHaveLength(1);
  });

  test("names the first record that it could not publish", async () => {
    bus.on(PutEventsCommand).rejects(new Error("No route"));
    expect(await relay([{ eventName: "REMOVE" }, inserted(), inserted()])).toEqual({
      batchItemFailures: [{ itemIdentifier: "2" }],
    });
  });
});
