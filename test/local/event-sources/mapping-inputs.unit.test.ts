import { expect, test } from "vitest";
import {
  readMapping,
  type EventSourceMappingInputs,
} from "../../../dist/local/event-sources/mapping-inputs.js";

const STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/changes";
const TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/orders-outbox/stream/2026-11-24T00:07:58.807";
const QUEUE = "arn:aws:sqs:us-east-1:000000000000:orders-customers";

const stream = (inputs: Partial<EventSourceMappingInputs> = {}) =>
  readMapping({ eventSourceArn: STREAM, functionName: "relay", startingPosition: "TRIM_HORIZON", ...inputs });
const queue = (inputs: Partial<EventSourceMappingInputs> = {}) =>
  readMapping({ eventSourceArn: QUEUE, functionName: "project", ...inputs });

test("a stream's mapping gets the defaults that AWS documents", () => {
  expect(stream()).toMatchObject({
    service: "kinesis",
    sourceName: "changes",
    functionName: "relay",
    enabled: true,
    batchSize: 100,
    batchingWindowMilliseconds: 0,
    reportBatchItemFailures: false,
    startingPosition: "TRIM_HORIZON",
    bisectBatchOnFunctionError: false,
    maximumRetryAttempts: Infinity,
    maximumRecordAgeMilliseconds: Infinity,
    parallelizationFactor: 1,
  });
});

test("a queue's mapping gets the defaults that AWS documents", () => {
  const mapping = queue();
  expect(mapping).toMatchObject({ service: "sqs", sourceName: "orders-customers", batchSize: 10 });
  expect(mapping).not.toHaveProperty("maximumConcurrency");
});

test("declared inputs are taken", () => {
  const inputs = {
    eventSourceArn: TABLE,
    batchSize: 1000,
    maximumBatchingWindowInSeconds: 2,
    functionResponseTypes: ["ReportBatchItemFailures"],
    bisectBatchOnFunctionError: true,
    maximumRetryAttempts: 3,
    maximumRecordAgeInSeconds: 60,
    parallelizationFactor: 4,
    destinationConfig: { onFailure: { destinationArn: QUEUE } },
  };
  expect(stream(inputs)).toMatchObject({
    service: "dynamodb",
    sourceName: "orders-outbox",
    batchSize: 1000,
    batchingWindowMilliseconds: 2000,
    reportBatchItemFailures: true,
    bisectBatchOnFunctionError: true,
    maximumRetryAttempts: 3,
    maximumRecordAgeMilliseconds: 60_000,
    parallelizationFactor: 4,
    onFailureArn: QUEUE,
  });
});

test("-1 stands for no limit", () => {
  expect(stream({ maximumRetryAttempts: -1, maximumRecordAgeInSeconds: -1 })).toMatchObject({
    maximumRetryAttempts: Infinity,
    maximumRecordAgeMilliseconds: Infinity,
  });
});

test.each([
  ["relay", { functionName: "relay" }],
  ["relay:live", { functionName: "relay", qualifier: "live" }],
  ["arn:aws:lambda:us-east-1:000000000000:function:relay", { functionName: "relay" }],
  ["arn:aws:lambda:us-east-1:000000000000:function:relay:7", { functionName: "relay", qualifier: "7" }],
  ["000000000000:function:relay", { functionName: "relay" }],
])('the function may be given as "%s"', (functionName, expected) => {
  const { functionName: name, qualifier } = stream({ functionName });
  expect({ functionName: name, ...(qualifier && { qualifier }) }).toEqual(expected);
});

test.each<[string, () => unknown]>([
  ["a stream without a starting position", () => stream({ startingPosition: undefined })],
  ["an unknown starting position", () => stream({ startingPosition: "EARLIEST" })],
  ["a batch size of zero", () => stream({ batchSize: 0 })],
  ["a batch size above the limit", () => stream({ batchSize: 10_001 })],
  ["too many lanes", () => stream({ parallelizationFactor: 11 })],
  ["too many retries", () => stream({ maximumRetryAttempts: 10_001 })],
  ["a record age below -1", () => stream({ maximumRecordAgeInSeconds: -2 })],
  ["a stream with a maximum concurrency", () => stream({ scalingConfig: { maximumConcurrency: 5 } })],
  ["a queue with a starting position", () => queue({ startingPosition: "LATEST" })],
  ["a queue with bisecting", () => queue({ bisectBatchOnFunctionError: true })],
  ["a queue with a destination", () => queue({ destinationConfig: {} })],
  ["a big batch without a window", () => queue({ batchSize: 11 })],
  ["a maximum concurrency of one", () => queue({ scalingConfig: { maximumConcurrency: 1 } })],
  ["a table's own ARN", () => stream({ eventSourceArn: "arn:aws:dynamodb:us-east-1:0:table/orders" })],
  ["a topic", () => queue({ eventSourceArn: "arn:aws:sns:us-east-1:0:topic" })],
])("%s is refused as AWS does", (_, read) => {
  expect(read).toThrow(expect.objectContaining({ code: "EVENT_SOURCE_INVALID" }));
});

test.each<[string, () => unknown]>([
  ["a FIFO queue", () => queue({ eventSourceArn: `${QUEUE}.fifo` })],
  ["a stream consumer", () => stream({ eventSourceArn: `${STREAM}/consumer/c:1` })],
  [
    "a topic as destination",
    () => stream({ destinationConfig: { onFailure: { destinationArn: "arn:aws:sns:us-east-1:0:t" } } }),
  ],
  ["a tumbling window", () => stream({ tumblingWindowInSeconds: 5 } as Partial<EventSourceMappingInputs>)],
])("%s is refused as unsupported", (_, read) => {
  expect(read).toThrow(expect.objectContaining({ code: "EVENT_SOURCE_UNSUPPORTED" }));
});
