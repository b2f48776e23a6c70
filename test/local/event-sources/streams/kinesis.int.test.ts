import { PutRecordsCommand, SplitShardCommand } from "@aws-sdk/client-kinesis";
import type { KinesisStreamRecord } from "aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emulatorFixture, eventually } from "../emulator-fixture.js";

const READ = [
  "kinesis:DescribeStream",
  "kinesis:ListShards",
  "kinesis:GetShardIterator",
  "kinesis:GetRecords",
];
/** Fails once at every record that says "twice": it reports the first such record. */
const HANDLER = `(() => {
  const seen = new Set();
  return async ({ Records }) => {
    for (const { kinesis } of Records) {
      const text = Buffer.from(kinesis.data, "base64").toString();
      const fails = text === "twice" && !seen.has(kinesis.sequenceNumber);
      seen.add(kinesis.sequenceNumber);
      if (fails) return { batchItemFailures: [{ itemIdentifier: kinesis.sequenceNumber }] };
    }
    return { batchItemFailures: [] };
  };
})()`;

let fixture: Awaited<ReturnType<typeof emulatorFixture>>;
beforeAll(async () => {
  fixture = await emulatorFixture();
});
afterAll(() => fixture.close());

async function deploy(shards = 1) {
  const stream = await fixture.createStream(shards);
  const functionName = await fixture.createFunction(HANDLER);
  await fixture.allow(functionName, READ, stream.arn);
  const mapping = {
    eventSourceArn: stream.arn,
    functionName,
    startingPosition: "TRIM_HORIZON",
    functionResponseTypes: ["ReportBatchItemFailures"],
    bisectBatchOnFunctionError: true,
  };
  return { stream, functionName, mapping };
}

async function put(streamName: string, ...records: [key: string, text: string][]): Promise<void> {
  const Records = records.map(([PartitionKey, text]) => ({ PartitionKey, Data: Buffer.from(text) }));
  await fixture.kinesis.send(new PutRecordsCommand({ StreamName: streamName, Records }));
}

const texts = (records: object[]) =>
  records.map((record) => Buffer.from((record as KinesisStreamRecord).kinesis.data, "base64").toString());

test("records reach the function in Lambda's event, in the order of their keys", async () => {
  const { stream, mapping } = await deploy(2);
  await put(stream.name, ["k1", "one"], ["k2", "two"], ["k1", "three"], ["k3", "four"]);
  const source = await fixture.start(mapping);
  await source.waitUntilDrained();
  const invoked = source.recordsOf("invoked") as KinesisStreamRecord[];
  expect(texts(invoked).sort()).toEqual(["four", "one", "three", "two"]);
  expect(texts(invoked.filter(({ kinesis }) => kinesis.partitionKey === "k1"))).toEqual(["one", "three"]);
  expect(invoked.find(({ kinesis }) => kinesis.partitionKey === "k2")).toEqual({
    kinesis: {
      kinesisSchemaVersion: "1.0",
      partitionKey: "k2",
      sequenceNumber: expect.stringMatching(/^\d+$/) as string,
      data: "dHdv",
      approximateArrivalTimestamp: expect.any(Number) as number,
    },
    eventSource: "aws:kinesis",
    eventVersion: "1.0",
    eventID: expect.stringMatching(/^shardId-\d{12}:\d+$/) as string,
    eventName: "aws:kinesis:record",
    invokeIdentityArn: expect.stringContaining(":role/") as string,
    awsRegion: "us-east-1",
    eventSourceARN: stream.arn,
  });
  expect(source.status()).toMatchObject({ state: "Enabled" });
  expect(source.status().shards).toHaveLength(2);
});

test("a partial failure loses no record and keeps the order", async () => {
  const { stream, mapping } = await deploy();
  await put(stream.name, ["k", "one"], ["k", "twice"], ["k", "three"], ["k", "twice"], ["k", "five"]);
  const source = await fixture.start(mapping);
  await source.waitUntilDrained();
  expect(texts(source.recordsOf("succeeded"))).toEqual(["one", "twice", "three", "twice", "five"]);
  expect(source.status().counts).toMatchObject({ invocations: 3 });
});

test("when a shard is split, its children are read after it, and no record is lost or out of order", async () => {
  const { stream, mapping } = await deploy();
  const keys = Array.from({ length: 10 }, (_, index) => `k${index}`);
  const putAll = (text: string) =>
    put(stream.name, ...keys.map((key): [string, string] => [key, `${key} ${text}`]));
  await putAll("before");
  const source = await fixture.start(mapping);
  // The emulator removes a shard that is split, with what was not read of it.
  await source.waitUntilDrained();
  const command = new SplitShardCommand({
    StreamName: stream.name,
    ShardToSplit: "shardId-000000000000",
    NewStartingHashKey: String(2n ** 127n),
  });
  await fixture.kinesis.send(command);
  await putAll("after");
  await source.waitUntilDrained();
  const succeeded = texts(source.recordsOf("succeeded"));
  expect(succeeded.slice(0, 10)).toEqual(keys.map((key) => `${key} before`));
  expect(succeeded.slice(10).sort()).toEqual(keys.map((key) => `${key} after`));
  expect(source.status()).toMatchObject({ state: "Enabled", shards: [{}, {}, {}] });
});

test.each(READ)("without %s the source has a problem, and works once the role has it", async (missing) => {
  const { stream, functionName, mapping } = await deploy();
  const others = READ.filter((action) => action !== missing);
  await fixture.allow(functionName, others, stream.arn);
  await put(stream.name, ["k", "hello"]);
  const source = await fixture.start(mapping);
  await eventually(() => source.status().state === "Problem");
  expect(source.status().problems[0]).toMatchObject({
    code: "AccessDeniedException",
    message: expect.stringContaining(missing) as string,
  });
  expect(source.status().counts.invocations).toBe(0);
  await fixture.allow(functionName, READ, stream.arn);
  await eventually(() => source.status().counts.succeeded === 1);
  expect(source.status().state).toBe("Enabled");
});

test("permissions on another stream do not help", async () => {
  const { functionName, mapping } = await deploy();
  const other = await fixture.createStream();
  await fixture.allow(functionName, READ, other.arn);
  const source = await fixture.start(mapping);
  expect(source.status().state).toBe("Problem");
});
