import { describe, expect, test } from "vitest";
import {
  type ChangePosition,
  createTableRecord,
  dataRecord,
} from "../../../dist/local/capture/encode-dms-record.js";
import { parseLsn } from "../../../dist/local/capture/lsn.js";
import { readCaptureSettings } from "../../../dist/local/capture/settings.js";
import type { ColumnType, SourceTable } from "../../../dist/local/capture/source-database.js";
import { parseTestDecoding, type RowChange } from "../../../dist/local/capture/test-decoding-parser.js";
import { rulesFor, type TaskInputOverrides, taskInputs } from "./task-inputs.js";

const NOW = new Date("2024-07-29T00:58:17.983Z");

/** The table of the records that were captured on AWS (facts of the format), keyed by its id. */
const FOO: SourceTable = {
  schema: "public",
  name: "foo",
  identifier: "public.foo",
  columns: [
    { name: "id", type: "integer" },
    { name: "name", type: "character varying" },
    { name: "age", type: "integer" },
    { name: "attributes", type: "jsonb" },
  ],
};

const POSITION: ChangePosition = {
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
  key = "id",
  table = FOO,
  at = POSITION,
  more: TaskInputOverrides = {},
): Made {
  const change = parseTestDecoding(`table public.foo: ${message}`, "public.foo") as RowChange;
  const settings = readCaptureSettings(taskInputs({ ...more, rules: rulesFor("foo", key) }));
  const { partitionKey, data } = dataRecord(change, table, at, settings, NOW);
  return { partitionKey, text: data.toString(), json: JSON.parse(data.toString()) as Made["json"] };
}

const INSERT =
  "INSERT: id[integer]:46 name[character varying]:'Jane' age[integer]:31 attributes[jsonb]:'{\"baz\": \"qux\"}'";

describe("records have the form of those that DMS wrote", () => {
  test("an insert", () => {
    const { json, partitionKey } = record(INSERT);
    expect(json).toEqual({
      data: { id: 46, name: "Jane", age: 31, attributes: '{"baz": "qux"}' },
      metadata: {
        timestamp: "2024-07-29T00:58:17.983000Z",
        "record-type": "data",
        operation: "insert",
        "partition-key-type": "attribute-name",
        "partition-key-value": "46",
        "schema-name": "public",
        "table-name": "foo",
        "commit-timestamp": "2024-07-29T00:58:17.974340Z",
        "transaction-id": 1139,
        "transaction-record-id": 1,
        "stream-position": "00000002/7C007178.3.00000002/7C007178",
      },
    });
    expect(partitionKey).toBe("46");
  });

  test("an update, with the captured change before it", () => {
    const at = {
      ...POSITION,
      transactionId: 1140,
      previous: { transactionId: 1139, recordId: 1 },
      lsn: parseLsn("2/7C007328") ?? 0n,
    };
    const { json } = record(
      "UPDATE: id[integer]:42 name[character varying]:'John' age[integer]:33 attributes[jsonb]:'{}'",
      "id",
      FOO,
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
    const { json } = record("DELETE: id[integer]:45");
    expect(json.data).toEqual({ id: 45, name: null, age: null, attributes: null });
    expect(json.metadata).toMatchObject({ operation: "delete" });
  });

  test("a control record names the table in its metadata, keyed by task and table", () => {
    const { partitionKey, data } = createTableRecord(FOO, "shop-capture", NOW);
    expect(partitionKey).toBe("shop-capture.public.foo");
    expect(JSON.parse(data.toString())).toEqual({
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

  test("a record is one line", () => {
    expect(record(INSERT).text).toMatch(/^\{"data":\{"id":46,.*\}\n$/);
    expect(createTableRecord(FOO, "shop-capture", NOW).data.toString()).toMatch(/^\{"metadata":\{.*\}\n$/);
  });
});

test("null and empty columns are included", () => {
  const message = "INSERT: id[integer]:1 name[character varying]:'' age[integer]:null attributes[jsonb]:null";
  expect(record(message).json.data).toEqual({ id: 1, name: "", age: null, attributes: null });
});

test("an update omits a large value that it left unchanged", () => {
  const message =
    "UPDATE: id[integer]:1 name[character varying]:'J' age[integer]:2 attributes[jsonb]:unchanged-toast-datum";
  expect(record(message).json.data).toEqual({ id: 1, name: "J", age: 2 });
});

test("the partition key is the column that the object mapping names", () => {
  const { partitionKey, json } = record(INSERT, "name");
  expect(partitionKey).toBe("Jane");
  expect(json.metadata).toMatchObject({
    "partition-key-type": "attribute-name",
    "partition-key-value": "Jane",
  });
});

test.each(["null", "''", `'${"x".repeat(257)}'`])(
  "a row whose partition key is %s, which Kinesis does not take, goes under the name of its table",
  (name) => {
    const { partitionKey, json } = record(`INSERT: id[integer]:1 name[character varying]:${name}`, "name");
    expect(partitionKey).toBe("public.foo");
    expect(json).toMatchObject({ data: { id: 1 }, metadata: { "partition-key-value": "public.foo" } });
  },
);

test.each<[ColumnType, string, string]>([
  ["uuid", "0198a5f0-0000-7000-8000-000000000000", '"0198a5f0-0000-7000-8000-000000000000"'],
  ["character varying", "It's \\ 🙂", '"It\'s \\\\ 🙂"'],
  ["integer", "-2147483648", "-2147483648"],
  ["jsonb", '{"a": 1}', '"{\\"a\\": 1}"'],
  ["timestamp with time zone", "2024-07-29 00:57:35.69+00", '"2024-07-29T00:57:35.690000Z"'],
  ["timestamp with time zone", "2024-07-29 00:57:35+00", '"2024-07-29T00:57:35.000000Z"'],
  ["timestamp with time zone", "0044-03-15 00:00:00+00 BC", '"0044-03-15T00:00:00.000000Z BC"'],
  ["timestamp with time zone", "infinity", '"9999-12-31T23:59:59.000000Z"'],
  ["timestamp with time zone", "-infinity", '"4713-01-01T00:00:00.000000Z BC"'],
])("%s %s becomes %s", (type, text, expected) => {
  const table = { ...FOO, columns: [...FOO.columns.slice(0, 1), { name: "v", type }] };
  const { text: json } = record(
    `INSERT: id[integer]:1 v[${type}]:'${text.replaceAll("'", "''")}'`,
    "id",
    table,
  );
  expect(/"v":(.*?)\},"metadata"/.exec(json)?.[1]).toBe(expected);
});

test("a large object over LobMaxSize fails the task; two bytes a character, four with emoji", () => {
  const withAttributes = (text: string) => () =>
    record(`INSERT: id[integer]:1 attributes[jsonb]:'${text}'`, "id", FOO, POSITION, {
      targetMetadata: { LobMaxSize: 1 },
    });
  const error = (kibibytes: number) =>
    `The column "attributes" has a value of ${kibibytes} KiB as DMS counts it, more than the task's LobMaxSize of 1 KiB, and failTasksOnLobTruncation is on. Raise LobMaxSize`;
  expect(withAttributes("x".repeat(512))).not.toThrow();
  expect(withAttributes("x".repeat(513))).toThrow(error(2));
  expect(withAttributes("🙂" + "x".repeat(254))).not.toThrow();
  expect(withAttributes("🙂" + "x".repeat(500))).toThrow(error(2));
});
