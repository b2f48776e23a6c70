import { expect, test } from "vitest";
import { dynamoRecord } from "../../../dist/local/event-sources/streams/dynamodb-reader.js";
import { kinesisRecord } from "../../../dist/local/event-sources/streams/kinesis-reader.js";
import { queueRecord } from "../../../dist/local/event-sources/queue-client.js";

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
  expect(record).toEqual({
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
});

test("a DynamoDB record has the shape of Lambda's event, binary values in base64", () => {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text));
  const event = dynamoRecord(TABLE, {
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
  const event = dynamoRecord(TABLE, {
    eventName: "REMOVE",
    userIdentity: { PrincipalId: "dynamodb.amazonaws.com", Type: "Service" },
    dynamodb: { SequenceNumber: "1" },
  });
  expect(event).toMatchObject({
    eventName: "REMOVE",
    userIdentity: { principalId: "dynamodb.amazonaws.com", type: "Service" },
  });
});

test("a message has the shape of Lambda's event", () => {
  const attributes = {
    ApproximateReceiveCount: "1",
    SentTimestamp: "1545082649183",
    SenderId: "AIDAIENQZJOLO23YVJ4VO",
    ApproximateFirstReceiveTimestamp: "1545082649185",
  };
  const record = queueRecord(QUEUE, {
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
});
