import "../../support/program/unpackaged";
import { expect, test } from "vitest";
import {
  type EventSourceMappingInputs,
  readMapping,
} from "../../../dist/local/event-sources/mapping-inputs.js";
import { FULL_CONFIG } from "../../support/program/stack-config";
import { deployProgram } from "../../support/program/whole-program";

const STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/changes";
const TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/orders-outbox/stream/2026-11-24T00:07:58.807";
const QUEUE = "arn:aws:sqs:us-east-1:000000000000:orders-customers";
const FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:relay";

const common = { functionName: FUNCTION, functionResponseTypes: ["ReportBatchItemFailures"] };
const onStream = { startingPosition: "TRIM_HORIZON", bisectBatchOnFunctionError: true };
const stream = (inputs: object = {}) =>
  readMapping({ eventSourceArn: STREAM, ...common, ...onStream, ...inputs });
const table = (...patterns: string[]) => {
  const filterCriteria = { filters: patterns.map((pattern) => ({ pattern })) };
  return stream({ eventSourceArn: TABLE, filterCriteria });
};
const queue = (inputs: object = {}) => readMapping({ eventSourceArn: QUEUE, ...common, ...inputs });

test("batch sizes have the defaults that AWS documents", () => {
  const [kinesis, dynamodb, sqs] = [stream(), stream({ eventSourceArn: TABLE }), queue()];
  expect(kinesis).toEqual({
    service: "kinesis",
    sourceArn: STREAM,
    functionName: "relay",
    batchSize: 100,
  });
  expect(dynamodb).toEqual({ service: "dynamodb", sourceArn: TABLE, functionName: "relay", batchSize: 100 });
  expect(sqs).toEqual({ service: "sqs", sourceArn: QUEUE, functionName: "relay", batchSize: 10 });
});

test("every mapping that the program declares is supported", async () => {
  const deployment = await deployProgram({ config: FULL_CONFIG });
  const mappings = deployment
    .ofType("aws:lambda/eventSourceMapping:EventSourceMapping")
    .map(({ inputs }) => readMapping(inputs as unknown as EventSourceMappingInputs));
  expect(mappings.map(({ service }) => service)).toContain("kinesis");
});

test("the values that a mapping may have are read", () => {
  const withoutLimits = { maximumRetryAttempts: -1, maximumRecordAgeInSeconds: -1 };
  expect(stream({ batchSize: 1000, ...withoutLimits })).toMatchObject({ batchSize: 1000 });
  expect(table('{"eventName":["INSERT","REMOVE"]}')).toMatchObject({ eventNames: ["INSERT", "REMOVE"] });
  const limited = queue({ batchSize: 1, scalingConfig: { maximumConcurrency: 5 } });
  expect(limited).toMatchObject({ batchSize: 1, maximumConcurrency: 5 });
});

test("inputs that do not change what is delivered, and those that are undefined, are ignored", () => {
  const ignored = { tags: { team: "shop" }, tagsAll: {}, region: "us-east-1", enabled: undefined };
  expect(queue(ignored)).toEqual(queue());
});

test("a function may be declared by its name", () => {
  expect(stream({ functionName: "relay" })).toMatchObject({ functionName: "relay" });
});

const UNSUPPORTED: [string, () => unknown, string][] = [
  ["LATEST", () => stream({ startingPosition: "LATEST" }), 'startingPosition: .*, got "LATEST"'],
  ["no starting position", () => stream({ startingPosition: undefined }), "startingPosition: "],
  ["no bisecting", () => stream({ bisectBatchOnFunctionError: false }), "bisectBatch.*, got false"],
  ["limited retries", () => stream({ maximumRetryAttempts: 3 }), "maximumRetryAttempts: .*, got 3"],
  ["a record age", () => stream({ maximumRecordAgeInSeconds: 60 }), "maximumRecordAge.*, got 60"],
  ["parallel batches", () => stream({ parallelizationFactor: 2 }), '"parallelizationFactor"'],
  ["an on-failure destination", () => stream({ destinationConfig: {} }), '"destinationConfig"'],
  ["a tumbling window", () => stream({ tumblingWindowInSeconds: 5 }), '"tumblingWindowInSeconds"'],
  ["a batching window", () => queue({ maximumBatchingWindowInSeconds: 1 }), '"maximumBatchingWindow'],
  ["enabled: false", () => queue({ enabled: false }), '"enabled"'],
  ["an input that nobody knows", () => queue({ invented: 1 }), 'Unrecognized key: "invented"'],
  ["no partial responses", () => queue({ functionResponseTypes: [] }), "functionResponseTypes: .*, got \\[]"],
  ["a batch size of zero", () => stream({ batchSize: 0 }), "batchSize: .*, got 0"],
  ["a batch beyond one read", () => stream({ batchSize: 1001 }), "batchSize: .*, got 1001"],
  ["a batch beyond one receive", () => queue({ batchSize: 11 }), "batchSize: .*, got 11"],
  [
    "a concurrency of one",
    () => queue({ scalingConfig: { maximumConcurrency: 1 } }),
    "Concurrency: .*, got 1",
  ],
  [
    "a concurrency on a stream",
    () => stream({ scalingConfig: { maximumConcurrency: 5 } }),
    '"scalingConfig"',
  ],
  ["a starting position on a queue", () => queue({ startingPosition: "LATEST" }), '"startingPosition"'],
  ["bisecting on a queue", () => queue({ bisectBatchOnFunctionError: true }), '"bisectBatchOnFunctionError"'],
  [
    "a function's version",
    () => queue({ functionName: `${FUNCTION}:7` }),
    `functionName: .*, got "${FUNCTION}:7"`,
  ],
  ["a filter on a queue", () => queue({ filterCriteria: {} }), '"filterCriteria"'],
  ["a filter on a Kinesis stream", () => stream({ filterCriteria: {} }), '"filterCriteria"'],
  [
    "a filter by something else",
    () => table('{"eventSource":["a"]}'),
    'pattern: Unrecognized key: "eventSource"',
  ],
  ["a filter by an operator", () => table('{"eventName":[{"prefix":"IN"}]}'), "pattern.eventName.0: "],
  ["a filter without rules", () => table('{"eventName":[]}'), "pattern.eventName: "],
  ["a filter that is not JSON", () => table("{"), 'pattern: expected JSON, got "{"'],
  ["two filters", () => table('{"eventName":["INSERT"]}', '{"eventName":["MODIFY"]}'), "filters: "],
  ["a FIFO queue", () => queue({ eventSourceArn: `${QUEUE}.fifo` }), `"${QUEUE}.fifo" is not the ARN`],
  ["a stream consumer", () => stream({ eventSourceArn: `${STREAM}/consumer/c:1` }), "is not the ARN"],
  ["a table's own ARN", () => stream({ eventSourceArn: "arn:aws:dynamodb:r:0:table/orders" }), "streamArn"],
  ["a topic", () => queue({ eventSourceArn: "arn:aws:sns:us-east-1:0:topic" }), "is not the ARN"],
];

test.each(UNSUPPORTED)("a mapping with %s is refused, and the error names it", (_, read, message) => {
  expect(read).toThrow(
    expect.objectContaining({
      code: "EVENT_SOURCE_UNSUPPORTED",
      message: expect.stringMatching(message) as string,
    }),
  );
});
