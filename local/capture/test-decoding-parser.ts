import { codedError } from "../../runtime/function/coded-error";

/** A message of PostgreSQL's output plugin test_decoding. */
export type DecodedMessage =
  | { kind: "begin"; transactionId: number }
  /** `at`: in the session's time zone, e.g. "2024-07-29 00:58:17.97434+00"; present with include-timestamp. */
  | { kind: "commit"; transactionId: number; at: string | undefined }
  | RowChange
  /** A truncation, or a logical message: nothing that DMS captures. */
  | { kind: "other" };

/** A changed row. */
export interface RowChange {
  kind: "insert" | "update" | "delete";
  schema: string;
  table: string;
  /** The row after the change; of a deletion the columns of the replica identity, i.e. the primary key. */
  columns: DecodedColumn[];
  /** The replica identity before an update; present if the update changed it. */
  oldKey: DecodedColumn[] | undefined;
}

/** A column of a changed row. */
export interface DecodedColumn {
  name: string;
  /** As format_type writes it, without a length, e.g. "character varying", "integer[]". */
  type: string;
  /** The value's text; null for NULL; undefined where an update left a large value as it was and the log does not hold it. */
  value: string | null | undefined;
}

/**
 * Reads one message of test_decoding. Its form: `table public.outbox: INSERT: id[uuid]:'0198…' payload[jsonb]:'{"it''s": 1}'`.
 *
 * @throws CAPTURE_UNREADABLE for anything else
 */
export function parseTestDecoding(message: string): DecodedMessage {
  if (message.startsWith("BEGIN")) return { kind: "begin", transactionId: Number(message.slice(6)) };
  if (message.startsWith("COMMIT")) {
    const [, transactionId, at] = /^COMMIT (\d+)(?: \(at (.+)\))?$/.exec(message) ?? [];
    return { kind: "commit", transactionId: Number(transactionId), at };
  }
  if (!message.startsWith("table ")) return { kind: "other" };
  const reader: Reader = { text: message, at: 6 };
  const schema = identifier(reader);
  expectText(reader, ".");
  const table = identifier(reader);
  // Several tables: "table a.b, a.c: TRUNCATE: …".
  if (skip(reader, ", ")) return { kind: "other" };
  expectText(reader, ": ");
  const operation = /INSERT|UPDATE|DELETE|TRUNCATE/y;
  operation.lastIndex = reader.at;
  const [found] = operation.exec(message) ?? [];
  if (found === undefined) throw unreadable(reader);
  if (found === "TRUNCATE") return { kind: "other" };
  reader.at += found.length;
  expectText(reader, ":");
  const change = { schema, table, oldKey: undefined as DecodedColumn[] | undefined };
  if (skip(reader, " old-key:")) {
    change.oldKey = columns(reader);
    expectText(reader, " new-tuple:");
  }
  // A table without a replica identity: "(no-tuple-data)".
  if (skip(reader, " (no-tuple-data)"))
    return { ...change, kind: KINDS[found as keyof typeof KINDS], columns: [] };
  return { ...change, kind: KINDS[found as keyof typeof KINDS], columns: columns(reader) };
}

const KINDS = { INSERT: "insert", UPDATE: "update", DELETE: "delete" } as const;
const UNCHANGED = "unchanged-toast-datum";
/** Ends what is written without quotes. */
const BARE_END = /[ .:,[]|$/g;
const VALUE_END = / |$/g;

interface Reader {
  text: string;
  at: number;
}

function columns(reader: Reader): DecodedColumn[] {
  const found: DecodedColumn[] = [];
  while (reader.at < reader.text.length && !reader.text.startsWith(" new-tuple:", reader.at)) {
    expectText(reader, " ");
    const name = identifier(reader);
    expectText(reader, "[");
    // A type may hold brackets itself: "integer[]".
    const end = reader.text.indexOf("]:", reader.at);
    if (end < 0) throw unreadable(reader);
    const type = reader.text.slice(reader.at, end);
    reader.at = end + 2;
    found.push({ name, type, value: value(reader) });
  }
  return found;
}

function value(reader: Reader): string | null | undefined {
  const { text, at } = reader;
  // Bit strings are written B'0101'.
  if (text[at] === "B" && text[at + 1] === "'") reader.at += 1;
  if (text[reader.at] === "'") return quoted(reader, "'");
  const bare = bareUntil(reader, VALUE_END);
  if (bare === "null") return null;
  return bare === UNCHANGED ? undefined : bare;
}

function identifier(reader: Reader): string {
  return reader.text[reader.at] === '"' ? quoted(reader, '"') : bareUntil(reader, BARE_END);
}

/** A quote inside is doubled; nothing else is escaped. */
function quoted(reader: Reader, quote: string): string {
  const start = reader.at + 1;
  let doubled = false;
  let end = reader.text.indexOf(quote, start);
  while (end >= 0 && reader.text[end + 1] === quote) {
    doubled = true;
    end = reader.text.indexOf(quote, end + 2);
  }
  if (end < 0) throw unreadable(reader);
  reader.at = end + 1;
  const inside = reader.text.slice(start, end);
  return doubled ? inside.replaceAll(quote + quote, quote) : inside;
}

function bareUntil(reader: Reader, end: RegExp): string {
  end.lastIndex = reader.at;
  const stop = end.exec(reader.text)?.index ?? reader.text.length;
  if (stop === reader.at) throw unreadable(reader);
  const bare = reader.text.slice(reader.at, stop);
  reader.at = stop;
  return bare;
}

function skip(reader: Reader, expected: string): boolean {
  if (!reader.text.startsWith(expected, reader.at)) return false;
  reader.at += expected.length;
  return true;
}

function expectText(reader: Reader, expected: string): void {
  if (!skip(reader, expected)) throw unreadable(reader);
}

function unreadable({ text, at }: Reader) {
  return codedError(
    "CAPTURE_UNREADABLE",
    `Cannot read test_decoding's message at character ${at}: "${text.slice(at, at + 40)}", in "${text.slice(0, 120)}". ` +
      "The slot's plugin must be test_decoding of PostgreSQL 15 or newer",
  );
}
