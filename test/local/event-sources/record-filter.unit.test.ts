import type { DynamoDBRecord, KinesisStreamRecord, SQSRecord } from "aws-lambda";
import { expect, test } from "vitest";
import { compileFilters } from "../../../dist/local/event-sources/record-filter.js";
import type { SourceService } from "../../../dist/local/event-sources/source-arn.js";

// Only what filters look at.
const kinesis = (text: string) =>
  ({ kinesis: { data: Buffer.from(text).toString("base64") } }) as unknown as KinesisStreamRecord;
const message = (body: string) => ({ messageId: "1", body }) as unknown as SQSRecord;
const change = (record: DynamoDBRecord) => record;
const filters = (service: SourceService, ...patterns: object[]) =>
  compileFilters(
    service,
    patterns.map((pattern) => JSON.stringify(pattern)),
  );
const data = (rules: unknown, value: unknown): boolean =>
  filters("kinesis", { data: { field: rules } })(kinesis(JSON.stringify({ field: value })));

test("without filters every record passes", () => {
  expect(compileFilters("kinesis", [])(kinesis("anything"))).toBe(true);
});

test("a record passes if one of the filters matches, and all keys of a filter must match", () => {
  const accepts = filters("kinesis", { data: { a: [1], b: [2] } }, { data: { c: [3] } });
  expect(accepts(kinesis('{"a":1,"b":2}'))).toBe(true);
  expect(accepts(kinesis('{"a":1}'))).toBe(false);
  expect(accepts(kinesis('{"c":3}'))).toBe(true);
});

test("a DMS record is found by its metadata", () => {
  const accepts = filters("kinesis", {
    data: { metadata: { "record-type": ["data"], operation: ["insert", "load"] } },
  });
  expect(accepts(kinesis('{"data":{},"metadata":{"record-type":"data","operation":"load"}}'))).toBe(true);
  expect(accepts(kinesis('{"metadata":{"record-type":"control","operation":"create-table"}}'))).toBe(false);
});

test("data that is not JSON is dropped by a JSON pattern, whatever that asks for", () => {
  expect(filters("kinesis", { data: { field: [{ exists: false }] } })(kinesis("plain text"))).toBe(false);
  expect(filters("sqs", { body: { field: [{ exists: false }] } })(message("plain text"))).toBe(false);
});

test("a plain text pattern finds plain text, and drops JSON", () => {
  const accepts = filters("sqs", { body: ["hello"] });
  expect(accepts(message("hello"))).toBe(true);
  expect(accepts(message('{"hello":1}'))).toBe(false);
});

test("a DynamoDB change is found by its event name and by its typed attributes", () => {
  const insert = change({ eventName: "INSERT", dynamodb: { NewImage: { type: { S: "x" } } } });
  expect(filters("dynamodb", { eventName: ["INSERT"] })(insert)).toBe(true);
  expect(filters("dynamodb", { eventName: ["REMOVE"] })(insert)).toBe(false);
  expect(filters("dynamodb", { dynamodb: { NewImage: { type: { S: ["x", "y"] } } } })(insert)).toBe(true);
  expect(filters("dynamodb", { userIdentity: { type: [{ exists: false }] } })(insert)).toBe(true);
});

test.each<[string, unknown, unknown[], unknown[]]>([
  ["exact", ["a", 1, true, null], ["a", 1, true, null, ["z", "a"]], ["b", "1", 0, false, undefined, []]],
  ["exists", [{ exists: true }], ["a", null, 0, ""], [undefined]],
  ["exists: false", [{ exists: false }], [undefined], ["a", null]],
  ["prefix", [{ prefix: "ab" }], ["abc", "ab"], ["xab", 1, undefined]],
  ["suffix", [{ suffix: "bc" }], ["abc"], ["bcd", undefined]],
  ["anything-but", [{ "anything-but": ["a", 1] }], ["b", 2], ["a", 1, undefined]],
  ["anything-but one", [{ "anything-but": "a" }], ["b"], ["a", undefined]],
  ["numeric", [{ numeric: [">", 0, "<=", 5] }], [1, 5], [0, 6, "1", undefined]],
  ["equals-ignore-case", [{ "equals-ignore-case": "aBc" }], ["AbC"], ["ab", undefined]],
])("%s matches as documented", (_, rules, matching, others) => {
  for (const value of matching) expect([value, data(rules, value)]).toEqual([value, true]);
  for (const value of others) expect([value, data(rules, value)]).toEqual([value, false]);
});

test("$or takes one of several keys", () => {
  const accepts = filters("kinesis", { data: { $or: [{ a: [1] }, { b: [2] }], c: [3] } });
  expect(accepts(kinesis('{"b":2,"c":3}'))).toBe(true);
  expect(accepts(kinesis('{"b":2}'))).toBe(false);
});

test("objects in a list match if one of them does", () => {
  const accepts = filters("sqs", { body: { items: { sku: ["x"] } } });
  expect(accepts(message('{"items":[{"sku":"y"},{"sku":"x"}]}'))).toBe(true);
  expect(accepts(message('{"items":[]}'))).toBe(false);
});

test("an operator that is not evaluated is refused and named", () => {
  expect(() => filters("kinesis", { data: { ip: [{ cidr: "10.0.0.0/8" }] } })).toThrow(
    expect.objectContaining({
      code: "FILTER_UNSUPPORTED",
      message: expect.stringContaining('"cidr" at "$.data.ip[0]"') as string,
    }),
  );
});

test.each([
  ["no JSON", "{"],
  ["no object", "[]"],
  ["a bare value", '{"data":{"a":1}}'],
  ["no rules", '{"data":{"a":[]}}'],
  ["two operators", '{"data":{"a":[{"prefix":"a","suffix":"b"}]}}'],
  ["a bad exists", '{"data":{"a":[{"exists":"yes"}]}}'],
  ["a bad prefix", '{"data":{"a":[{"prefix":1}]}}'],
  ["a bad anything-but", '{"data":{"a":[{"anything-but":{"prefix":"a"}}]}}'],
  ["a bad numeric", '{"data":{"a":[{"numeric":["~",1]}]}}'],
  ["an empty numeric", '{"data":{"a":[{"numeric":[]}]}}'],
  ["a bad $or", '{"data":{"$or":{}}}'],
  ["another key than data", '{"partitionKey":["a"]}'],
])("a pattern with %s is refused", (_, pattern) => {
  expect(() => compileFilters("kinesis", [pattern])).toThrow(
    expect.objectContaining({ code: "FILTER_INVALID" }),
  );
});

test("more filters than AWS takes are refused", () => {
  const patterns = Array.from({ length: 11 }, () => '{"data":{"a":[1]}}');
  expect(() => compileFilters("kinesis", patterns)).toThrow(
    expect.objectContaining({ code: "FILTER_INVALID" }),
  );
});
