import { EventBridgeClient, PutEventsCommand, type PutEventsCommandInput } from "@aws-sdk/client-eventbridge";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { mockClient } from "aws-sdk-client-mock";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { relayBatch } from "../../../runtime/relay/relay-batch";
import type { RelayRecord } from "../../../runtime/relay/relay-record";
import { capturedLog, problems } from "../../support/process/captured-log";
import { fakeHolds } from "../../support/dynamodb/fake-holds";
import { BANK_EVENTS, eventRecord } from "../../support/domain/outbox-records";

const bus = mockClient(EventBridgeClient);
const queue = mockClient(SQSClient);
const holds = fakeHolds();
const log = capturedLog();
const STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/cdc";
const targets = {
  known: BANK_EVENTS,
  holds: holds.table,
  events: new EventBridgeClient({ region: "us-east-1" }),
  queues: new SQSClient({ region: "us-east-1" }),
  eventBus: "domain-events",
  quarantineQueue: "https://queue/quarantine",
};

beforeEach(() => {
  bus.reset();
  queue.reset();
  holds.clear();
  vi.spyOn(Math, "random").mockReturnValue(0);
  refusing();
});

/** The bus refuses the events of these aggregates, always. */
function refusing(...aggregateIds: string[]) {
  bus.on(PutEventsCommand).callsFake(({ Entries }: PutEventsCommandInput) => ({
    Entries: Entries?.map(({ Detail = "" }) => {
      const { id, subject } = JSON.parse(Detail) as { id: string; subject: string };
      return aggregateIds.includes(subject) ? { ErrorCode: "InternalFailure" } : { EventId: id };
    }),
  }));
}

const undecodable = (sequenceNumber: string): RelayRecord => ({
  kind: "undecodable",
  sequenceNumber,
  reason: "The record is not JSON in UTF-8.",
  payload: () => Buffer.from("secret content"),
});
const ignored = (sequenceNumber: string): RelayRecord => ({
  kind: "ignored",
  sequenceNumber,
  payload: () => Buffer.from("left out"),
});
const relay = (records: RelayRecord[], remaining = 30_000) =>
  relayBatch(records, STREAM, targets, () => remaining);
const published = () =>
  bus
    .commandCalls(PutEventsCommand)
    .flatMap(({ args }) => args[0].input.Entries ?? [])
    .map(({ Detail = "" }) => (JSON.parse(Detail) as { subject: string }).subject);

describe("relaying a batch", () => {
  test("puts each event on the bus under its domain, its type and its time", async () => {
    const { record } = eventRecord("1");
    await relay([{ ...eventRecord("1"), record }]);
    const [entry] = bus.commandCalls(PutEventsCommand)[0]!.args[0].input.Entries!;
    expect(entry).toMatchObject({
      EventBusName: "domain-events",
      Source: "bank",
      DetailType: "AccountOpened",
      Time: new Date(record.occurredAt),
    });
    expect(JSON.parse(entry!.Detail!)).toMatchObject({ id: record.id, subject: record.aggregateId });
  });

  test("reports nothing when everything is on the bus", async () => {
    expect(await relay([eventRecord("1"), ignored("2"), eventRecord("3")])).toEqual({
      batchItemFailures: [],
    });
    expect(published()).toHaveLength(2);
  });

  test("does nothing for a batch without events", async () => {
    expect(await relay([ignored("1"), ignored("2")])).toEqual({ batchItemFailures: [] });
    expect(await relay([])).toEqual({ batchItemFailures: [] });
    expect(published()).toEqual([]);
  });

  test("reports the lowest sequence number that is not on the bus, and only that", async () => {
    refusing("bad", "worse");
    const records = [
      eventRecord("9", { aggregateId: "good" }),
      eventRecord("10", { aggregateId: "bad" }),
      eventRecord("11", { aggregateId: "good", aggregateVersion: 2 }),
      eventRecord("12", { aggregateId: "worse" }),
      eventRecord("13", { aggregateId: "bad", aggregateVersion: 2 }),
    ];
    expect(await relay(records)).toEqual({ batchItemFailures: [{ itemIdentifier: "10" }] });
    expect(published().filter((id) => id === "good")).toHaveLength(2);
  });

  test("takes the order of the batch and not of the digits for the lowest", async () => {
    refusing("first", "second");
    const records = [
      eventRecord("99", { aggregateId: "first" }),
      eventRecord("100", { aggregateId: "second" }),
    ];
    expect(await relay(records)).toEqual({ batchItemFailures: [{ itemIdentifier: "99" }] });
  });

  test("never publishes an event whose aggregate has an earlier one that failed", async () => {
    refusing("bad");
    await relay([
      eventRecord("1", { aggregateId: "bad" }),
      eventRecord("2", { aggregateId: "bad", aggregateVersion: 2 }),
    ]);
    const versions = bus
      .commandCalls(PutEventsCommand)
      .flatMap(({ args }) => args[0].input.Entries ?? [])
      .map(({ Detail = "" }) => (JSON.parse(Detail) as { sequence: string }).sequence);
    expect(new Set(versions)).toEqual(new Set(["1"]));
  });

  test("quarantines an undecodable record and continues after it", async () => {
    expect(await relay([undecodable("1"), eventRecord("2")])).toEqual({ batchItemFailures: [] });
    expect(published()).toHaveLength(1);
    const { QueueUrl, MessageBody } = queue.commandCalls(SendMessageCommand)[0]!.args[0].input;
    expect(QueueUrl).toBe("https://queue/quarantine");
    expect(JSON.parse(MessageBody!)).toEqual({
      stream: STREAM,
      sequenceNumber: "1",
      reason: "The record is not JSON in UTF-8.",
      part: 1,
      parts: 1,
      payload: Buffer.from("secret content").toString("base64"),
    });
  });

  test("quarantines an event that is too large for the bus, with its size and its content, and continues", async () => {
    const large = eventRecord("1", { data: { change: {}, state: { note: "€".repeat(90_000) } } });
    expect(await relay([large, eventRecord("2")])).toEqual({ batchItemFailures: [] });
    expect(published()).toHaveLength(1);
    const [first] = queue.commandCalls(SendMessageCommand);
    expect(JSON.parse(first!.args[0].input.MessageBody!)).toMatchObject({
      sequenceNumber: "1",
      aggregateKey: `bank.Account/${large.record.aggregateId}`,
      version: 1,
      reason: expect.stringMatching(
        /^The event has 27\d{4} bytes as an entry of the bus; the limit is 262144\.$/,
      ) as string,
      payload: large.payload().subarray(0, 180_000).toString("base64"),
    });
  });

  test("reports an undecodable record that could not be quarantined, so that it is not lost", async () => {
    queue.on(SendMessageCommand).rejects(new Error("Queue is gone"));
    const answer = await relay([eventRecord("1"), undecodable("2"), eventRecord("3")]);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
    expect(published()).toHaveLength(2);
    expect(log).toContainEqual(
      expect.objectContaining({
        message: "Could not quarantine a record",
        sequenceNumber: "2",
        reason: "Queue is gone",
      }),
    );
  });

  test("reports the lower sequence number, of an event that failed and a record that could not be quarantined", async () => {
    refusing("bad");
    queue.on(SendMessageCommand).rejects(new Error("Queue is gone"));
    const records = [undecodable("1"), eventRecord("2", { aggregateId: "bad" })];
    expect(await relay(records)).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
    expect(await relay(records.reverse())).toEqual({ batchItemFailures: [{ itemIdentifier: "2" }] });
  });

  test("keeps some of the function's time back to answer in", async () => {
    refusing("bad");
    const answer = await relay([eventRecord("1", { aggregateId: "bad" })], 3_000 - 1);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "1" }] });
    expect(published()).toEqual(["bad"]);
  });

  test("logs no payload of a quarantined record", async () => {
    await relay([undecodable("1")]);
    expect(problems(log)).toHaveLength(1);
    expect(JSON.stringify(log)).not.toContain("secret");
    expect(JSON.stringify(log)).not.toContain(Buffer.from("secret content").toString("base64"));
  });
});
