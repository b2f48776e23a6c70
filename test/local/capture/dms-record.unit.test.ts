import { describe, expect, test } from "vitest";
import {
  createTableRecord,
  dataRecord,
  type ChangePosition,
} from "../../../dist/local/capture/dms-record.js";
import { parseLsn } from "../../../dist/local/capture/lsn.js";
import { readCaptureSettings } from "../../../dist/local/capture/settings.js";
import type { SourceColumn, SourceTable } from "../../../dist/local/capture/source-tables.js";
import { parseTestDecoding, type RowChange } from "../../../dist/local/capture/test-decoding-parser.js";
import { mappingRule, selectionRule, type TaskInputOverrides, taskInputs } from "./task-inputs.js";

const NOW = new Date("2024-07-29T00:58:17.983Z");

function settingsOf(overrides: TaskInputOverrides = {}) {
  const { source, target, task } = taskInputs(overrides);
  return readCaptureSettings(source, target, task);
}

function column(name: string, type: string, more: Partial<SourceColumn> = {}): SourceColumn {
  const lob = ["text", "jsonb"].includes(type) ? "character" : type === "bytea" ? "binary" : undefined;
  return { name, type, length: undefined, nullable: true, lob, ...more };
}

/** The table of the records that were captured on AWS (facts of the format). */
function foo(overrides: TaskInputOverrides = {}): SourceTable {
  return {
    schema: "public",
    name: "foo",
    columns: [
      column("id", "integer", { nullable: false }),
      column("name", "text"),
      column("age", "integer"),
      column("attributes", "jsonb"),
    ],
    primaryKey: ["id"],
    mapping: settingsOf(overrides).mappings.mappingOf("public", "foo"),
  };
}

const position: ChangePosition = {
  transactionId: 1139,
  recordId: 1,
  previous: undefined,
  committedAt: "2024-07-29 00:58:17.97434+00",
  lsn: parseLsn("2/7C007178") ?? 0n,
};

interface Made {
  partitionKey: string;
  text: string;
  json: { data: Record<string, unknown>; metadata: Record<string, unknown> };
}

function record(
  message: string,
  overrides: TaskInputOverrides = {},
  table = foo(overrides),
  at = position,
): Made {
  const change = parseTestDecoding(`table public.foo: ${message}`) as RowChange;
  const { partitionKey, data } = dataRecord(change, table, at, settingsOf(overrides), NOW);
  return { partitionKey, text: data.toString(), json: JSON.parse(data.toString()) as Made["json"] };
}

/** As the sampled task was set. */
const SAMPLED: TaskInputOverrides = { rules: [selectionRule("foo")] };
const INSERT =
  "INSERT: id[integer]:46 name[text]:'Jane' age[integer]:31 attributes[jsonb]:'{\"baz\": \"qux\"}'";

describe("records have the form of those that DMS wrote", () => {
  test("an insert", () => {
    const { json, partitionKey } = record(INSERT, SAMPLED);
    expect(json).toEqual({
      data: { id: 46, name: "Jane", age: 31, attributes: '{"baz": "qux"}' },
      metadata: {
        timestamp: "2024-07-29T00:58:17.983000Z",
        "record-type": "data",
        operation: "insert",
        "partition-key-type": "schema-table",
        "schema-name": "public",
        "table-name": "foo",
        "commit-timestamp": "2024-07-29T00:58:17.974340Z",
        "transaction-id": 1139,
        "transaction-record-id": 1,
        "stream-position": "00000002/7C007178.3.00000002/7C007178",
      },
    });
    expect(partitionKey).toBe("public.foo");
  });

  test("an update, with the captured change before it", () => {
    const at = {
      ...position,
      transactionId: 1140,
      previous: { transactionId: 1139, recordId: 1 },
      lsn: parseLsn("2/7C007328") ?? 0n,
    };
    const { json } = record(
      "UPDATE: id[integer]:42 name[text]:'John' age[integer]:33 attributes[jsonb]:'{}'",
      SAMPLED,
      undefined,
      at,
    );
    expect(json.data).toEqual({ id: 42, name: "John", age: 33, attributes: "{}" });
    expect(json.metadata).toMatchObject({
      operation: "update",
      "transaction-id": 1140,
      "prev-transaction-id": 1139,
      "prev-transaction-record-id": 1,
      "stream-position": "00000002/7C007328.2.00000002/7C007328",
    });
  });

  test("a deletion has the primary key, and null for the rest", () => {
    const { json } = record("DELETE: id[integer]:45", SAMPLED);
    expect(json.data).toEqual({ id: 45, name: null, age: null, attributes: null });
    expect(json.metadata).toMatchObject({ operation: "delete" });
  });

  test("a control record tells of the table, keyed by task and table", () => {
    const settings = settingsOf({ ...SAMPLED, kinesis: { includeControlDetails: true } });
    const { partitionKey, data } = createTableRecord(foo(SAMPLED), settings, NOW);
    expect(partitionKey).toBe("shop-capture.public.foo");
    expect(JSON.parse(data.toString())).toEqual({
      control: {
        "table-def": {
          columns: {
            id: { type: "INT32", nullable: false },
            name: { type: "STRING", nullable: true },
            age: { type: "INT32", nullable: true },
            attributes: { type: "STRING", nullable: true },
          },
          "primary-key": ["id"],
        },
      },
      metadata: {
        timestamp: "2024-07-29T00:58:17.983000Z",
        "record-type": "control",
        operation: "create-table",
        "partition-key-type": "task-id",
        "partition-key-value": "shop-capture",
        "schema-name": "public",
        "table-name": "foo",
      },
    });
  });

  test("a control record without details has metadata only", () => {
    const { data } = createTableRecord(foo(SAMPLED), settingsOf(SAMPLED), NOW);
    expect(Object.keys(JSON.parse(data.toString()) as object)).toEqual(["metadata"]);
  });
});

describe("what the settings decide", () => {
  test("json-unformatted is one line with its end, json is indented with tabs", () => {
    expect(record(INSERT, SAMPLED).text).toMatch(/^\{"data":\{"id":46,.*\}\n$/);
    expect(record(INSERT, { ...SAMPLED, kinesis: { messageFormat: "json" } }).text).toMatch(
      /^\{\n\t"data": \{\n\t\t"id": 46,/,
    );
  });

  test("null and empty columns are there only if asked for", () => {
    const message = "INSERT: id[integer]:1 name[text]:'' age[integer]:null attributes[jsonb]:null";
    expect(record(message, SAMPLED).json.data).toEqual({ id: 1, name: "", age: null, attributes: null });
    expect(record(message, { ...SAMPLED, kinesis: { includeNullAndEmpty: false } }).json.data).toEqual({
      id: 1,
    });
  });

  test("without transaction details there is no trace of the transaction", () => {
    const { metadata } = record(INSERT, { ...SAMPLED, kinesis: { includeTransactionDetails: false } }).json;
    expect(Object.keys(metadata)).toEqual([
      "timestamp",
      "record-type",
      "operation",
      "partition-key-type",
      "schema-name",
      "table-name",
    ]);
  });

  test.each<[string, object | undefined, TaskInputOverrides, string]>([
    ["attribute-name", { "partition-key-type": "attribute-name", "partition-key-name": "name" }, {}, "Jane"],
    ["transaction-id", { "partition-key-type": "transaction-id" }, {}, "1139"],
    ["primary-key", { "partition-key-type": "primary-key" }, {}, "46"],
    [
      "primary-key",
      { "partition-key-type": "primary-key" },
      { kinesis: { partitionIncludeSchemaTable: true } },
      "public.foo.46",
    ],
    ["constant", { "partition-key": { value: "one" } }, {}, "one"],
    ["primary-key", undefined, { targetMetadata: { ParallelApplyThreads: 4 } }, "46"],
    ["schema-table", {}, {}, "public.foo"],
  ])("the partition key is the %s", (type, parameters, more, key) => {
    const overrides = {
      ...more,
      rules: [selectionRule("foo"), ...(parameters ? [mappingRule(parameters, "foo")] : [])],
    };
    const { partitionKey, json } = record(INSERT, overrides);
    expect(partitionKey).toBe(key);
    expect(json.metadata["partition-key-type"]).toBe(type);
    expect(json.metadata["partition-key-value"]).toBe(type === "schema-table" ? undefined : key);
  });

  test("a row without a value for its partition key is an error that says so", () => {
    const overrides = {
      rules: [
        selectionRule("foo"),
        mappingRule({ "partition-key-type": "attribute-name", "partition-key-name": "name" }, "foo"),
      ],
    };
    expect(() => record("INSERT: id[integer]:1 name[text]:null", overrides)).toThrow(
      'A row (insert) of table "public.foo" has no value for its partition key (attribute-name "name"): Kinesis takes no record without one',
    );
  });

  test("excluded columns are left out, and a document has all others in _doc", () => {
    const rule = {
      ...mappingRule({ "exclude-columns": ["age"] }, "foo"),
      "rule-action": "map-record-to-document",
    };
    expect(record(INSERT, { rules: [selectionRule("foo"), rule] }).json.data).toEqual({
      _doc: { id: 46, name: "Jane", attributes: '{"baz": "qux"}' },
    });
  });

  test("without LOB support text and jsonb columns are not there", () => {
    expect(record(INSERT, { ...SAMPLED, targetMetadata: { SupportLobs: false } }).json.data).toEqual({
      id: 46,
      age: 31,
    });
  });

  test("a large object that an update left as it was is not there", () => {
    expect(
      record("UPDATE: id[integer]:1 name[text]:unchanged-toast-datum age[integer]:2", SAMPLED).json.data,
    ).toEqual({ id: 1, age: 2 });
  });
});

describe("types", () => {
  const value = (type: string, text: string, overrides: TaskInputOverrides = {}) => {
    const table = { ...foo(SAMPLED), columns: [column("v", type)] };
    const { text: json } = record(`INSERT: v[${type}]:'${text}'`, { ...SAMPLED, ...overrides }, table);
    return /"v":(.*?)\},"metadata"/.exec(json)?.[1];
  };

  test.each([
    ["boolean", "true", '"true"'],
    ["uuid", "0198a5f0-0000-7000-8000-000000000000", '"0198a5f0-0000-7000-8000-000000000000"'],
    ["bigint", "1234567890123456", "1234567890123456"],
    ["bigint", "12345678901234567", "1.2345678901234568e+16"],
    ["bigint", "-9223372036854775808", "-9.223372036854776e+18"],
    ["numeric", "12.50", "12.50"],
    ["numeric", "NaN", '"NaN"'],
    ["numeric", "123456789012345678901234567890123456789", '"123456789012345678901234567890123456789"'],
    ["double precision", "1.5", "1.5"],
    ["double precision", "Infinity", '"Infinity"'],
    ["timestamp with time zone", "2024-07-29 00:57:35.69+00", '"2024-07-29T00:57:35.690000Z"'],
    ["timestamp without time zone", "2024-07-29 00:57:35", '"2024-07-29T00:57:35.000000Z"'],
    ["timestamp with time zone", "infinity", '"9999-12-31T23:59:59.000000Z"'],
    ["date", "2024-07-29", '"2024-07-29"'],
    ["bytea", "\\x00ff", '"0x00ff"'],
    ["jsonb", '{"a": 1}', '"{\\"a\\": 1}"'],
    ["integer[]", "{1,2}", '"{1,2}"'],
    ["mood", "happy", '"happy"'],
  ])("%s %s becomes %s", (type, text, expected) => {
    expect(value(type, text)).toBe(expected);
  });

  test("UseLargeIntegerValue keeps up to 18 digits, MapBooleanAsBoolean keeps booleans", () => {
    expect(value("bigint", "123456789012345678", { kinesis: { useLargeIntegerValue: true } })).toBe(
      "123456789012345678",
    );
    expect(value("bigint", "1234567890123456789", { kinesis: { useLargeIntegerValue: true } })).toBe(
      "1.2345678901234568e+18",
    );
    expect(value("boolean", "true", { postgres: { mapBooleanAsBoolean: true } })).toBe("true");
  });

  test("a large object over LobMaxSize is cut, or fails the task; two bytes a character, four with emoji", () => {
    const cut = { postgres: { failTasksOnLobTruncation: false }, targetMetadata: { LobMaxSize: 1 } };
    expect(value("text", "x".repeat(512), cut)).toHaveLength(514);
    expect(value("text", "x".repeat(513), cut)).toHaveLength(514);
    expect(value("text", "🙂" + "x".repeat(500), cut)).toHaveLength(258);
    expect(() => value("text", "x".repeat(513), { targetMetadata: { LobMaxSize: 1 } })).toThrow(
      'The column "v" has a value of 2 KiB as DMS counts it, more than the task\'s LobMaxSize of 1 KiB, and FailTasksOnLobTruncation is on. Raise LobMaxSize',
    );
  });
});
