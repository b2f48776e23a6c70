import { beforeEach, expect, test } from "vitest";
import { lambdaPackage } from "../../dist/components/function/lambda-package.js";
import { makeDynamoRelay } from "../../dist/runtime/relay/dynamodb-relay.js";
import { makeKinesisRelay } from "../../dist/runtime/relay/kinesis-relay.js";
import { acceptsAll, type AwsRequest, awsStub } from "../support/dynamodb/aws-stub";
import { bareFunction } from "../support/process/bare-node";
import {
  BANK_EVENTS,
  dmsRecord,
  dynamoStreamEvent,
  kinesisEvent,
  outboxImage,
} from "../support/domain/outbox-records";

const aws = await awsStub();
const environment = {
  ...aws.environment,
  EVENT_BUS_NAME: "events-1",
  HOLDS_TABLE: "holds-1",
  // The SDK takes the URL of a queue as its endpoint.
  QUARANTINE_QUEUE_URL: `${aws.environment.AWS_ENDPOINT_URL}/111122223333/quarantine-1`,
};
const [kinesisRelay, dynamoRelay] = await Promise.all([
  bareFunction(makeKinesisRelay(BANK_EVENTS)),
  bareFunction(makeDynamoRelay(BANK_EVENTS)),
]);

interface Entry {
  Source: string;
  DetailType: string;
  EventBusName: string;
  Time: number;
  Detail: string;
}
const entriesOf = ({ body }: AwsRequest) => body.Entries as Entry[];
/** Refuses the events of one aggregate, whatever else is in the call. */
const refuses = (aggregateId: string) => (request: AwsRequest) => {
  if (request.operation !== "PutEvents") return acceptsAll(request);
  const refused = (entry: Entry) => (JSON.parse(entry.Detail) as { subject: string }).subject === aggregateId;
  const Entries = entriesOf(request).map((entry) =>
    refused(entry) ? { ErrorCode: "ThrottlingException" } : { EventId: "event" },
  );
  return { FailedEntryCount: Entries.filter(({ ErrorCode }) => ErrorCode).length, Entries };
};
const CONTROL = {
  control: { "table-def": {} },
  metadata: { "record-type": "control", operation: "create-table" },
};
const DETAIL = {
  specversion: "1.0",
  id: "018f3c1e-0000-7000-8000-000000000001",
  source: "bank",
  type: "AccountCredited",
  subject: "account-1",
  datacontenttype: "application/json",
  dataschema: "urn:domain-event:bank:Account:AccountCredited:2",
  sequence: "3",
  sequencetype: "Integer",
  correlationid: "request-1",
  causationid: "command-1",
  traceparent: "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
  data: { change: { amount: 5 }, state: { owner: "Zoë" } },
};

beforeEach(() => {
  aws.taken();
  aws.answer(acceptsAll);
});

test("The packaged relay of the monolith publishes what DMS captured as a CloudEvent, and ignores control records", async () => {
  const { results } = await kinesisRelay.invoke(environment, kinesisEvent([CONTROL, dmsRecord()]));
  expect(results).toEqual([{ batchItemFailures: [] }]);
  const [holds, ...requests] = aws.taken();
  expect(holds).toMatchObject({ operation: "BatchGetItem", body: { RequestItems: { "holds-1": {} } } });
  expect(requests.map(({ operation }) => operation)).toEqual(["PutEvents"]);
  const [entry] = entriesOf(requests[0]!);
  expect(entry).toMatchObject({ EventBusName: "events-1", Source: "bank", DetailType: "AccountCredited" });
  expect(JSON.parse(entry!.Detail)).toEqual({ ...DETAIL, time: "2026-05-04T03:02:01.234Z" });
});

test("The packaged relay gives back the first record that the bus refused, and publishes the others", async () => {
  aws.answer(refuses("account-2"));
  const ids = ["account-1", "account-2", "account-3", "account-2"];
  const batch = kinesisEvent(ids.map((aggregate_id) => dmsRecord({ aggregate_id })));
  const { results, log } = await kinesisRelay.invoke(environment, batch);
  expect(results).toEqual([{ batchItemFailures: [{ itemIdentifier: "2" }] }]);
  expect(log).toContainEqual(
    expect.objectContaining({ message: "Returned records to the stream", unfinished: 2 }),
  );
  const [, ...publishing] = aws.taken();
  const calls = publishing.map((request) => entriesOf(request).length);
  // All at once but the second event of account-2, which waits for the first; then that first one alone, again and
  // again.
  expect(calls).toEqual([3, 1, 1, 1, 1]);
});

test("The packaged relay quarantines what it cannot decode, byte for byte, and goes on", async () => {
  const batch = kinesisEvent(["not JSON {", dmsRecord()]);
  const { results } = await kinesisRelay.invoke(environment, batch);
  expect(results).toEqual([{ batchItemFailures: [] }]);
  const [, quarantined, published] = aws.taken();
  expect(quarantined).toMatchObject({
    operation: "SendMessage",
    body: { QueueUrl: environment.QUARANTINE_QUEUE_URL },
  });
  expect(JSON.parse(String(quarantined?.body.MessageBody))).toEqual({
    stream: "arn:aws:kinesis:us-east-1:000000000000:stream/cdc",
    sequenceNumber: "1",
    partitionKey: "account-1",
    reason: "The record is not JSON in UTF-8.",
    part: 1,
    parts: 1,
    payload: Buffer.from("not JSON {").toString("base64"),
  });
  expect(published?.operation).toBe("PutEvents");
});

test("The packaged relay of a microservice publishes what was added to its outbox, and ignores what expired", async () => {
  const batch = dynamoStreamEvent([
    { eventName: "REMOVE", OldImage: outboxImage() },
    { eventName: "INSERT", NewImage: outboxImage() },
  ]);
  const { results } = await dynamoRelay.invoke(environment, batch);
  expect(results).toEqual([{ batchItemFailures: [] }]);
  const [holds, ...requests] = aws.taken();
  expect(holds).toMatchObject({ operation: "BatchGetItem", body: { RequestItems: { "holds-1": {} } } });
  expect(requests.map(({ operation }) => operation)).toEqual(["PutEvents"]);
  const entries = entriesOf(requests[0]!);
  expect(entries).toHaveLength(1);
  expect(JSON.parse(entries[0]!.Detail)).toEqual({ ...DETAIL, time: "2026-05-04T03:02:01.234Z" });
});

test("The packaged relay of a microservice quarantines an item that is not an event, and gives back what the bus refused", async () => {
  aws.answer(refuses("account-1"));
  const batch = dynamoStreamEvent([
    { eventName: "INSERT", NewImage: outboxImage({ payload: { S: "no JSON" } }) },
    { eventName: "INSERT", NewImage: outboxImage() },
  ]);
  const { results } = await dynamoRelay.invoke(environment, batch);
  expect(results).toEqual([{ batchItemFailures: [{ itemIdentifier: "2" }] }]);
  // The aggregate is held first; the second record is of the same event, which is next.
  const operations = ["BatchGetItem", "PutItem", "SendMessage"];
  expect(
    aws
      .taken()
      .map(({ operation }) => operation)
      .slice(0, 3),
  ).toEqual(operations);
});

test("A packaged relay whose environment is not complete says which variable is missing", async () => {
  const { EVENT_BUS_NAME: _bus, ...incomplete } = environment;
  await expect(kinesisRelay.invoke(incomplete, kinesisEvent([]))).rejects.toThrow(
    'The environment variable "EVENT_BUS_NAME" is not set. The component that declares this function sets it; deploy again.',
  );
});

test("Relays of the same events share one package, and a relay of others has its own", async () => {
  const packageOf = (known: typeof BANK_EVENTS) =>
    lambdaPackage("a relay", makeDynamoRelay(known).callbackFactory);
  const [one, same, other] = await Promise.all([
    packageOf(BANK_EVENTS),
    packageOf({ ...BANK_EVENTS }),
    packageOf({ "bank.Account": ["AccountOpened"] }),
  ]);
  expect(same).toBe(one);
  expect(other).not.toBe(one);
});
