import { describe, expect, test } from "vitest";
import {
  isOfTable,
  parseTestDecoding,
  type RowChange,
} from "../../../dist/local/capture/test-decoding-parser.js";

const parse = (message: string) => parseTestDecoding(message, "public.outbox");
const values = (message: string) => Object.fromEntries((parse(message) as RowChange).values);

describe("transactions", () => {
  test("a begin has the transaction's id", () => {
    expect(parse("BEGIN 1139")).toEqual({ kind: "begin", transactionId: 1139 });
  });

  test("a commit has its time", () => {
    expect(parse("COMMIT 1139 (at 2024-07-29 00:58:17.97434+00)")).toEqual({
      kind: "commit",
      at: "2024-07-29 00:58:17.97434+00",
    });
  });
});

describe("rows", () => {
  test("an insert has the text of every column", () => {
    const message =
      "table public.outbox: INSERT: id[uuid]:'0198' aggregate_version[integer]:1 type[character varying]:'X' causation_id[character varying]:null occurred_at[timestamp with time zone]:'2024-07-29 00:58:17.9+00'";
    expect(parse(message)).toMatchObject({ kind: "insert" });
    expect(values(message)).toEqual({
      id: "0198",
      aggregate_version: "1",
      type: "X",
      causation_id: null,
      occurred_at: "2024-07-29 00:58:17.9+00",
    });
  });

  test.each([
    ["text[text]:'it''s'", "it's"],
    ["text[text]:''''''", "''"],
    ["text[text]:''", ""],
    ["text[text]:'null'", "null"],
    ["text[text]:'unchanged-toast-datum'", "unchanged-toast-datum"],
    ["text[text]:'a\nb c[d]:''e'' COMMIT'", "a\nb c[d]:'e' COMMIT"],
    ["text[text]:'new-tuple: a[b]:1'", "new-tuple: a[b]:1"],
    ["text[text]:'C:\\temp \\''n'", "C:\\temp \\'n"],
    ["text[jsonb]:'{\"a\": \"it''s 🙂\"}'", '{"a": "it\'s 🙂"}'],
    ["text[bigint]:-9223372036854775808", "-9223372036854775808"],
    ["text[integer[]]:'{1,NULL,3}'", "{1,NULL,3}"],
    ["text[public.\"My Type\"]:'v'", "v"],
    ["text[text]:unchanged-toast-datum", undefined],
  ])("reads the value of %s", (column, value) => {
    expect(values(`table public.outbox: INSERT: ${column} next[integer]:1`)).toEqual({
      text: value,
      next: "1",
    });
  });

  test("names in quotes may hold anything", () => {
    const table = '"My ""Schema"".x"."a: INSERT"';
    const message = `table ${table}: INSERT: "The [Key]: ""x"" "[text]:'v'`;
    expect(parseTestDecoding(message, table)).toEqual({
      kind: "insert",
      values: new Map([['The [Key]: "x" ', "v"]]),
    });
  });

  test("an update has the new row, not the old key", () => {
    const message = "table public.outbox: UPDATE: id[integer]:42 name[text]:'John'";
    expect(parse(message)).toMatchObject({ kind: "update" });
    expect(values(message)).toEqual({ id: "42", name: "John" });
    expect(
      values(
        "table public.outbox: UPDATE: old-key: id[integer]:46 new-tuple: id[integer]:45 big[text]:unchanged-toast-datum",
      ),
    ).toEqual({ id: "45", big: undefined });
  });

  test("a deletion has the key, or nothing where the table has none", () => {
    const deletion = (row: string) => parse(`table public.outbox: DELETE: ${row}`);
    expect(deletion("id[integer]:45")).toEqual({ kind: "delete", values: new Map([["id", "45"]]) });
    expect(deletion("(no-tuple-data)")).toEqual({ kind: "delete", values: new Map() });
  });
});

test("other tables, truncations and logical messages are not captured", () => {
  for (const message of [
    "table public.inbox: INSERT: odd[bit(4)[]]:{B'01",
    "table public.outbox_old: INSERT: id[integer]:1",
    'table "public.outbox".x: INSERT: id[integer]:1',
    "table public.outbox: TRUNCATE: (no-flags)",
    "table public.outbox, public.inbox: TRUNCATE: restart_seqs cascade",
    "message: transactional: 1 prefix: x, sz: 1 content:y",
  ]) {
    expect(parse(message)).toEqual({ kind: "other" });
  }
});

test.each([
  "BEGIN",
  "COMMIT 7",
  "table public.outbox: MERGE: id[integer]:1",
  "table public.outbox: INSERT: id[integer",
  "table public.outbox: INSERT: id[text]:'open",
  "table public.outbox: INSERT: id[text]:",
  "table public.outbox: INSERT:id[integer]:1",
  "table public.outbox: INSERT: id[integer]:1 new-tuple: id[integer]:2",
  "table public.outbox: UPDATE: old-key: id[integer]:1",
])("what test_decoding does not write is an error that shows it: %s", (message) => {
  expect(() => parse(message)).toThrow(expect.objectContaining({ code: "CAPTURE_UNREADABLE" }) as Error);
});

describe("a message is read", () => {
  test.each([
    ["BEGIN 12", true],
    ["COMMIT 12 (at 2024-07-29 00:58:17.97434+00)", true],
    ["table public.outbox: INSERT: id[uuid]:'1'", true],
    ["table public.outbox_old: INSERT: id[uuid]:'1'", false],
    ["table public.\"outbox: INSERT\": INSERT: id[uuid]:'1'", false],
    ["table public.outbox, public.other: TRUNCATE: (no-flags)", false],
    ["message: transactional: 1 prefix: BEGIN, sz: 6 content:COMMIT", false],
    ["", false],
  ])("only where its first bytes are of the captured table or of a transaction: %s", (text, expected) => {
    expect(isOfTable(Buffer.from(text), "public.outbox")).toBe(expected);
  });

  test("without making a text of one of another table, which may be larger than any text", () => {
    const message = Buffer.from("table public.large: INSERT: t[text]:'x'");
    message.toString = () => {
      throw new Error("Cannot create a string longer than 0x1fffffe8 characters");
    };
    expect(isOfTable(message, "public.outbox")).toBe(false);
  });
});
