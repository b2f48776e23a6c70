import { describe, expect, test } from "vitest";
import { parseTestDecoding } from "../../../dist/local/capture/test-decoding-parser.js";

const change = (kind: string, columns: object[], oldKey?: object[]) => ({
  kind,
  schema: "public",
  table: "outbox",
  columns,
  oldKey,
});

describe("transactions", () => {
  test("a begin has the transaction's id", () => {
    expect(parseTestDecoding("BEGIN 1139")).toEqual({ kind: "begin", transactionId: 1139 });
  });

  test("a commit has its id and time", () => {
    expect(parseTestDecoding("COMMIT 1139 (at 2024-07-29 00:58:17.97434+00)")).toEqual({
      kind: "commit",
      transactionId: 1139,
      at: "2024-07-29 00:58:17.97434+00",
    });
    expect(parseTestDecoding("COMMIT 7")).toEqual({ kind: "commit", transactionId: 7, at: undefined });
  });
});

describe("rows", () => {
  test("an insert has every column with its type and text", () => {
    const message =
      "table public.outbox: INSERT: id[uuid]:'0198' aggregate_version[integer]:1 type[character varying]:'X' causation_id[character varying]:null occurred_at[timestamp with time zone]:'2024-07-29 00:58:17.9+00'";
    expect(parseTestDecoding(message)).toEqual(
      change("insert", [
        { name: "id", type: "uuid", value: "0198" },
        { name: "aggregate_version", type: "integer", value: "1" },
        { name: "type", type: "character varying", value: "X" },
        { name: "causation_id", type: "character varying", value: null },
        { name: "occurred_at", type: "timestamp with time zone", value: "2024-07-29 00:58:17.9+00" },
      ]),
    );
  });

  test.each([
    ["text[text]:'it''s'", "it's"],
    ["text[text]:''''''", "''"],
    ["text[text]:''", ""],
    ["text[text]:'null'", "null"],
    ["text[text]:'unchanged-toast-datum'", "unchanged-toast-datum"],
    ["text[text]:'a\nb c[d]:''e'' COMMIT'", "a\nb c[d]:'e' COMMIT"],
    ["text[text]:'C:\\temp \\''n'", "C:\\temp \\'n"],
    ["text[jsonb]:'{\"a\": \"it''s 🙂\"}'", '{"a": "it\'s 🙂"}'],
    ["text[boolean]:true", "true"],
    ["text[double precision]:-Infinity", "-Infinity"],
    ["text[bigint]:-9223372036854775808", "-9223372036854775808"],
    ["text[numeric]:0.611111104488373", "0.611111104488373"],
    ["text[bit varying]:B'0101'", "0101"],
    ["text[integer[]]:'{1,NULL,3}'", "{1,NULL,3}"],
    ["text[bytea]:'\\x00ff'", "\\x00ff"],
    ["text[public.\"My Type\"]:'v'", "v"],
    ["text[text]:unchanged-toast-datum", undefined],
  ])("reads the value of %s", (column, value) => {
    const parsed = parseTestDecoding(`table public.outbox: INSERT: ${column} next[integer]:1`);
    expect(parsed).toMatchObject({
      columns: [
        { name: "text", value },
        { name: "next", value: "1" },
      ],
    });
  });

  test("names in quotes may hold anything", () => {
    expect(
      parseTestDecoding('table "My ""Schema"".x"."a: INSERT": INSERT: "The [Key]: "[text]:\'v\''),
    ).toMatchObject({
      schema: 'My "Schema".x',
      table: "a: INSERT",
      columns: [{ name: "The [Key]: ", type: "text", value: "v" }],
    });
  });

  test("an update has the new row, and the old key where it changed", () => {
    expect(parseTestDecoding("table public.outbox: UPDATE: id[integer]:42 name[text]:'John'")).toEqual(
      change("update", [
        { name: "id", type: "integer", value: "42" },
        { name: "name", type: "text", value: "John" },
      ]),
    );
    expect(
      parseTestDecoding(
        "table public.outbox: UPDATE: old-key: id[integer]:46 new-tuple: id[integer]:45 big[text]:unchanged-toast-datum",
      ),
    ).toEqual(
      change(
        "update",
        [
          { name: "id", type: "integer", value: "45" },
          { name: "big", type: "text", value: undefined },
        ],
        [{ name: "id", type: "integer", value: "46" }],
      ),
    );
  });

  test("a deletion has the key, or nothing where the table has none", () => {
    expect(parseTestDecoding("table public.outbox: DELETE: id[integer]:45")).toEqual(
      change("delete", [{ name: "id", type: "integer", value: "45" }]),
    );
    expect(parseTestDecoding("table public.outbox: DELETE: (no-tuple-data)")).toEqual(change("delete", []));
  });
});

test("truncations and logical messages are nothing to capture", () => {
  for (const message of [
    "table public.outbox: TRUNCATE: (no-flags)",
    "table public.outbox, public.inbox: TRUNCATE: restart_seqs cascade",
    "message: transactional: 1 prefix: x, sz: 1 content:y",
  ]) {
    expect(parseTestDecoding(message)).toEqual({ kind: "other" });
  }
});

test.each([
  "table public.outbox",
  "table public.outbox: MERGE: id[integer]:1",
  "table public.outbox: INSERT: id[integer",
  "table public.outbox: INSERT: id[text]:'open",
  "table public.outbox: INSERT:id[integer]:1",
])("what is not test_decoding's is an error that shows it: %s", (message) => {
  expect(() => parseTestDecoding(message)).toThrow(
    expect.objectContaining({ code: "CAPTURE_UNREADABLE" }) as Error,
  );
});
