import { DeleteItemCommand, PutItemCommand, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emulatorFixture, eventually } from "../emulator-fixture.js";

const READ = [
  "dynamodb:DescribeStream",
  "dynamodb:GetShardIterator",
  "dynamodb:GetRecords",
  "dynamodb:ListStreams",
];
/** Fails at the first delivery of every item whose key starts with "twice". */
const HANDLER = `(() => {
  const seen = new Set();
  return async ({ Records }) => {
    for (const { dynamodb } of Records) {
      const fails = dynamodb.Keys.pk.S.startsWith("twice") && !seen.has(dynamodb.SequenceNumber);
      seen.add(dynamodb.SequenceNumber);
      if (fails) return { batchItemFailures: [{ itemIdentifier: dynamodb.SequenceNumber }] };
    }
    return { batchItemFailures: [] };
  };
})()`;

let fixture: Awaited<ReturnType<typeof emulatorFixture>>;
beforeAll(async () => {
  fixture = await emulatorFixture();
});
afterAll(() => fixture.close());

async function deploy() {
  const table = await fixture.createTable();
  const functionName = await fixture.createFunction(HANDLER);
  await fixture.allow(functionName, READ, table.streamArn);
  const mapping = {
    eventSourceArn: table.streamArn,
    functionName,
    startingPosition: "TRIM_HORIZON",
    functionResponseTypes: ["ReportBatchItemFailures"],
    bisectBatchOnFunctionError: true,
  };
  const put = (pk: string, more: Record<string, { S: string } | { B: Uint8Array }> = {}) =>
    fixture.dynamodb.send(new PutItemCommand({ TableName: table.name, Item: { pk: { S: pk }, ...more } }));
  return { table, functionName, mapping, put };
}

const keys = (records: object[]) =>
  records.map((record) => (record as DynamoDBRecord).dynamodb?.Keys?.["pk"]?.S);

test("changes reach the function in Lambda's event", async () => {
  const { table, mapping, put } = await deploy();
  await put("a", { bytes: { B: new Uint8Array(Buffer.from("hi")) } });
  await put("a", { text: { S: "new" } });
  await fixture.dynamodb.send(new DeleteItemCommand({ TableName: table.name, Key: { pk: { S: "a" } } }));
  const source = await fixture.start(mapping);
  await source.waitUntilDrained();
  const [insert, modify, remove] = source.recordsOf("invoked");
  expect(insert).toEqual({
    eventID: expect.any(String) as string,
    eventName: "INSERT",
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "us-east-1",
    dynamodb: {
      ApproximateCreationDateTime: expect.any(Number) as number,
      Keys: { pk: { S: "a" } },
      NewImage: { pk: { S: "a" }, bytes: { B: "aGk=" } },
      SequenceNumber: expect.stringMatching(/^\d+$/) as string,
      SizeBytes: expect.any(Number) as number,
      StreamViewType: "NEW_AND_OLD_IMAGES",
    },
    eventSourceARN: table.streamArn,
  });
  expect(modify).toMatchObject({
    eventName: "MODIFY",
    dynamodb: { NewImage: { text: { S: "new" } }, OldImage: { bytes: { B: "aGk=" } } },
  });
  expect(remove).toMatchObject({ eventName: "REMOVE", dynamodb: { OldImage: { text: { S: "new" } } } });
  expect(remove).not.toHaveProperty("userIdentity");
});

test("a partial failure loses no change of a transaction and keeps the order", async () => {
  const { table, mapping } = await deploy();
  const names = ["one", "twice-1", "three", "twice-2", "five"];
  const TransactItems = names.map((pk) => ({ Put: { TableName: table.name, Item: { pk: { S: pk } } } }));
  await fixture.dynamodb.send(new TransactWriteItemsCommand({ TransactItems }));
  const source = await fixture.start(mapping);
  await source.waitUntilDrained();
  expect(keys(source.recordsOf("succeeded"))).toEqual(names);
  expect(source.status().counts).toMatchObject({ invocations: 3 });
});

test("a filter on the event name holds back what expires from an outbox", async () => {
  const { table, mapping, put } = await deploy();
  await put("a");
  await fixture.dynamodb.send(new DeleteItemCommand({ TableName: table.name, Key: { pk: { S: "a" } } }));
  await put("b");
  const filterCriteria = { filters: [{ pattern: '{"eventName":["INSERT"]}' }] };
  const source = await fixture.start({ ...mapping, filterCriteria });
  await source.waitUntilDrained();
  expect(keys(source.recordsOf("invoked"))).toEqual(["a", "b"]);
  expect(source.status().counts).toMatchObject({ received: 3, filtered: 1 });
});

test.each(READ)("without %s the source has a problem, and works once the role has it", async (missing) => {
  const { table, functionName, mapping, put } = await deploy();
  const others = READ.filter((action) => action !== missing);
  await fixture.allow(functionName, others, table.streamArn);
  await put("a");
  const source = await fixture.start(mapping);
  expect(source.status()).toMatchObject({
    state: "Problem",
    problems: [{ code: "AccessDeniedException", message: expect.stringContaining(missing) as string }],
    counts: { received: 0 },
  });
  await fixture.allow(functionName, READ, table.streamArn);
  await eventually(() => source.status().counts.succeeded === 1);
});

test("a permission that is withdrawn stops the source, and nothing is lost when it is given back", async () => {
  const { table, functionName, mapping, put } = await deploy();
  const source = await fixture.start(mapping);
  await fixture.allow(functionName, ["dynamodb:DescribeStream"], table.streamArn);
  await eventually(() => source.status().state === "Problem");
  await put("meanwhile");
  await fixture.allow(functionName, READ, table.streamArn);
  await source.waitUntilDrained();
  expect(keys(source.recordsOf("succeeded"))).toEqual(["meanwhile"]);
});

test("ListStreams may be allowed on everything, as AWS's managed policy does", async () => {
  const { table, functionName, mapping, put } = await deploy();
  await fixture.allow(functionName, READ.slice(0, 3), table.streamArn);
  await fixture.allow(functionName, ["dynamodb:ListStreams"], "*", "list");
  await put("a");
  const source = await fixture.start(mapping);
  await source.waitUntilDrained();
  expect(keys(source.recordsOf("succeeded"))).toEqual(["a"]);
});
