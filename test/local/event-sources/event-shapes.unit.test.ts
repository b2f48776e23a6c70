import { expect, test } from "vitest";
import { discardNotice } from "../../../dist/local/event-sources/discard-notice.js";
import { dynamoRecord } from "../../../dist/local/event-sources/dynamodb-record.js";
import { kinesisRecord } from "../../../dist/local/event-sources/kinesis-reader.js";
import { readMapping, type StreamMapping } from "../../../dist/local/event-sources/mapping-inputs.js";
import { queueRecord } from "../../../dist/local/event-sources/queue-record.js";

const STREAM = "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream";
const TABLE = "arn:aws:dynamodb:us-east-2:123456789012:table/my-table/stream/2026-11-24T00:07:58.807";
const QUEUE = "arn:aws:sqs:us-east-2:123456789012:my-queue";
const ROLE = "arn:aws:iam::123456789012:role/lambda-role";

test("a Kinesis record has the shape of Lambda's event", () => {
  const record = kinesisRecord(STREAM, ROLE)("shardId-000000000006", {
    SequenceNumber: "49590338271490256608559692538361571095921575989136588898",
    PartitionKey: "1",
    Data: Buffer.from("Hello, this is a test."),
    ApproximateArrivalTimestamp: new Date(1545084650987),
  });
  expect(record.event).toEqual({
    kinesis: {
      kinesisSchemaVersion: "1.0",
      partitionKey: "1",
      sequenceNumber: "49590338271490256608559692538361571095921575989136588898",
      data: "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
      approximateArrivalTimestamp: 1545084650.987,
    },
    eventSource: "aws:kinesis",
    eventVersion: "1.0",
    eventID: "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
    eventName: "aws:kinesis:record",
    invokeIdentityArn: ROLE,
    awsRegion: "us-east-2",
    eventSourceARN: STREAM,
  });
  expect(record).toMatchObject({ orderingKey: "1", arrivedAt: 1545084650987 });
});

test("a DynamoDB record has the shape of Lambda's event, binary values in base64", () => {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text));
  const { event } = dynamoRecord(TABLE, {
    eventID: "c4ca4238a0b923820dcc509a6f75849b",
    eventName: "MODIFY",
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "us-east-2",
    dynamodb: {
      ApproximateCreationDateTime: new Date(1479499740_000),
      Keys: { Id: { N: "101" } },
      NewImage: {
        Id: { N: "101" },
        text: { S: "" },
        yes: { BOOL: false },
        nothing: { NULL: true },
        binary: { B: bytes("hi") },
        binaries: { BS: [bytes("a"), bytes("b")] },
        numbers: { NS: ["1"] },
        texts: { SS: ["x"] },
        nested: { M: { list: { L: [{ B: bytes("c") }, { S: "s" }] } } },
      },
      OldImage: { Id: { N: "101" } },
      SequenceNumber: "111",
      SizeBytes: 26,
      StreamViewType: "NEW_AND_OLD_IMAGES",
    },
  });
  expect(event).toEqual({
    eventID: "c4ca4238a0b923820dcc509a6f75849b",
    eventName: "MODIFY",
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "us-east-2",
    dynamodb: {
      ApproximateCreationDateTime: 1479499740,
      Keys: { Id: { N: "101" } },
      NewImage: {
        Id: { N: "101" },
        text: { S: "" },
        yes: { BOOL: false },
        nothing: { NULL: true },
        binary: { B: "aGk=" },
        binaries: { BS: ["YQ==", "Yg=="] },
        numbers: { NS: ["1"] },
        texts: { SS: ["x"] },
        nested: { M: { list: { L: [{ B: "Yw==" }, { S: "s" }] } } },
      },
      OldImage: { Id: { N: "101" } },
      SequenceNumber: "111",
      SizeBytes: 26,
      StreamViewType: "NEW_AND_OLD_IMAGES",
    },
    eventSourceARN: TABLE,
  });
});

test("a deletion by TTL names DynamoDB as its user", () => {
  const { event } = dynamoRecord(TABLE, {
    eventName: "REMOVE",
    userIdentity: { PrincipalId: "dynamodb.amazonaws.com", Type: "Service" },
    dynamodb: { SequenceNumber: "1" },
  });
  expect(event).toMatchObject({
    eventName: "REMOVE",
    userIdentity: { principalId: "dynamodb.amazonaws.com", type: "Service" },
  });
});

test("changes of one item have one ordering key, however its keys are listed", () => {
  const keyOf = (Keys: Record<string, { S: string }>) =>
    dynamoRecord(TABLE, { dynamodb: { Keys } }).orderingKey;
  expect(keyOf({ pk: { S: "a" }, sk: { S: "b" } })).toBe(keyOf({ sk: { S: "b" }, pk: { S: "a" } }));
  expect(keyOf({ pk: { S: "a" }, sk: { S: "b" } })).not.toBe(keyOf({ pk: { S: "a" }, sk: { S: "c" } }));
});

test("a message has the shape of Lambda's event", () => {
  const attributes = {
    ApproximateReceiveCount: "1",
    SentTimestamp: "1545082649183",
    SenderId: "AIDAIENQZJOLO23YVJ4VO",
    ApproximateFirstReceiveTimestamp: "1545082649185",
  };
  const { record, sentAt } = queueRecord(QUEUE, {
    MessageId: "059f36b4-87a3-44ab-83d2-661975830a7d",
    ReceiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
    Body: "Test message.",
    Attributes: attributes,
    MD5OfBody: "e4e68fb7bd0e697a0ae8f1bb342846b3",
    MD5OfMessageAttributes: "00484c68e59f48acab37bf76f5a4f44b",
    MessageAttributes: {
      text: { DataType: "String", StringValue: "100" },
      bytes: { DataType: "Binary", BinaryValue: new Uint8Array(Buffer.from("hi")) },
    },
  });
  expect(record).toEqual({
    messageId: "059f36b4-87a3-44ab-83d2-661975830a7d",
    receiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
    body: "Test message.",
    attributes,
    messageAttributes: {
      text: { stringValue: "100", stringListValues: [], binaryListValues: [], dataType: "String" },
      bytes: { binaryValue: "aGk=", stringListValues: [], binaryListValues: [], dataType: "Binary" },
    },
    md5OfBody: "e4e68fb7bd0e697a0ae8f1bb342846b3",
    md5OfMessageAttributes: "00484c68e59f48acab37bf76f5a4f44b",
    eventSource: "aws:sqs",
    eventSourceARN: QUEUE,
    awsRegion: "us-east-2",
  });
  expect(sentAt).toBe(1545082649183);
});

test("the notice of discarded records has the documented shape and not the records", () => {
  const mapping = readMapping({
    eventSourceArn: STREAM,
    functionName: "f",
    startingPosition: "LATEST",
  }) as StreamMapping;
  const toRecord = kinesisRecord(STREAM, ROLE);
  const records = ["1", "2"].map((SequenceNumber) =>
    toRecord("shardId-000000000001", {
      SequenceNumber,
      PartitionKey: "k",
      Data: Buffer.from("secret"),
      ApproximateArrivalTimestamp: new Date(1573691884_835),
    }),
  );
  const discard = { shardId: "shardId-000000000001", records, invocations: 3, functionError: true };
  const notice = discardNotice(mapping, "arn:aws:lambda:us-east-2:123456789012:function:f", {
    ...discard,
    condition: "RetryAttemptsExhausted",
  });
  expect(notice).toEqual({
    requestContext: {
      requestId: expect.any(String) as string,
      functionArn: "arn:aws:lambda:us-east-2:123456789012:function:f",
      condition: "RetryAttemptsExhausted",
      approximateInvokeCount: 3,
    },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    version: "1.0",
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    KinesisBatchInfo: {
      shardId: "shardId-000000000001",
      startSequenceNumber: "1",
      endSequenceNumber: "2",
      approximateArrivalOfFirstRecord: "2019-11-14T00:38:04.835Z",
      approximateArrivalOfLastRecord: "2019-11-14T00:38:04.835Z",
      batchSize: 2,
      streamArn: STREAM,
    },
  });
  const expired = discardNotice(mapping, "arn", {
    ...discard,
    invocations: 0,
    condition: "RecordAgeExceeded",
  });
  expect(expired).not.toHaveProperty("responseContext");
});
