import { codedError } from "../../runtime/function/coded-error";

/** A message of PostgreSQL's output plugin test_decoding. */
export type DecodedMessage =
  | { kind: "begin"; transactionId: number }
  /** `at`: in the session's time zone, e.g. "2024-07-29 00:58:17.97434+00". */
  | { kind: "commit"; at: string }
  | RowChange
  /** A change of another table, a truncation, or a logical message: nothing to capture. */
  | { kind: "other" };

/** A changed row of the captured table. */
export interface RowChange {
  kind: "insert" | "update" | "delete";
  /**
   * Column -> the value's text after the change, or before a deletion as far as the replica identity has it. null
   * is NULL; undefined is a large value that an update left unchanged and that the log does not hold.
   */
  values: Map<string, string | null | undefined>;
}

/**
 * Reads one message of test_decoding with include-timestamp. A change has the form
 * `table public.outbox: INSERT: id[uuid]:'0198…' payload[jsonb]:'{"it''s": 1}'`.
 *
 * @param table schema and name of the captured table, quoted as SQL requires
 * @throws CAPTURE_UNREADABLE for anything else
 */
export function parseTestDecoding(message: string, table: string): DecodedMessage {
  const reader: Reader = { text: message, at: 0 };
  if (message.startsWith("BEGIN"))
    return { kind: "begin", transactionId: Number(take(reader, /BEGIN (\d+)/y)) };
  if (message.startsWith("COMMIT")) return { kind: "commit", at: take(reader, /COMMIT \d+ \(at (.+)\)/y) };
  if (!skip(reader, `table ${table}: `)) return { kind: "other" };
  const operation = take(reader, /(INSERT|UPDATE|DELETE|TRUNCATE):/y);
  if (operation === "TRUNCATE") return { kind: "other" };
  if (skip(reader, " old-key:")) {
    // The replica identity before an update. Records have no before-image.
    columns(reader);
    if (!skip(reader, NEW_TUPLE)) throw unreadable(reader);
  }
  // A table without a replica identity has none of a deleted row's columns.
  const values = skip(reader, " (no-tuple-data)") ? new Map<string, null>() : columns(reader);
  if (reader.at < message.length) throw unreadable(reader);
  return { kind: KINDS[operation as keyof typeof KINDS], values };
}

/**
 * Whether a message may be of the captured table, or begins or ends a transaction; told from its first bytes, since one of
 * another table may be too large to be a text.
 *
 * @param table as for `parseTestDecoding`
 */
export function isOfTable(message: Buffer, table: string): boolean {
  const own = Buffer.from(`table ${table}: `);
  return (
    ["BEGIN", "COMMIT"].some((word) => startsWith(message, Buffer.from(word))) || startsWith(message, own)
  );
}

function startsWith(message: Buffer, bytes: Buffer): boolean {
  return message.subarray(0, bytes.length).equals(bytes);
}

const KINDS = { INSERT: "insert", UPDATE: "update", DELETE: "delete" } as const;
const NEW_TUPLE = " new-tuple:";
const UNCHANGED = "unchanged-toast-datum";
/** A column's name, and its type as format_type writes it, which may hold brackets itself: "integer[]". */
const COLUMN = / ("(?:[^"]|"")+"|[^ .:,[\]"]+)\[.+?\]:/sy;

interface Reader {
  text: string;
  at: number;
}

function columns(reader: Reader): RowChange["values"] {
  const values: RowChange["values"] = new Map();
  while (reader.at < reader.text.length && !reader.text.startsWith(NEW_TUPLE, reader.at)) {
    const name = take(reader, COLUMN);
    values.set(name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name, value(reader));
  }
  return values;
}

function value(reader: Reader): string | null | undefined {
  if (reader.text[reader.at] === "'") return quoted(reader);
  const bare = take(reader, /([^ ]+)/y);
  if (bare === "null") return null;
  return bare === UNCHANGED ? undefined : bare;
}

/** A quote inside is doubled; nothing else is escaped. Searched and not matched, since a value may be large. */
function quoted(reader: Reader): string {
  const start = reader.at + 1;
  let doubled = false;
  let end = reader.text.indexOf("'", start);
  while (end >= 0 && reader.text[end + 1] === "'") {
    doubled = true;
    end = reader.text.indexOf("'", end + 2);
  }
  if (end < 0) throw unreadable(reader);
  reader.at = end + 1;
  const inside = reader.text.slice(start, end);
  return doubled ? inside.replaceAll("''", "'") : inside;
}

/** @returns the first group of what the pattern finds at the reader's position */
function take(reader: Reader, pattern: RegExp): string {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text)?.[1];
  if (found === undefined) throw unreadable(reader);
  reader.at = pattern.lastIndex;
  return found;
}

function skip(reader: Reader, expected: string): boolean {
  if (!reader.text.startsWith(expected, reader.at)) return false;
  reader.at += expected.length;
  return true;
}

function unreadable({ text, at }: Reader) {
  return codedError(
    "CAPTURE_UNREADABLE",
    `Cannot read test_decoding's message at character ${at} of ${text.length}, which begins ` +
      `"${/^table \S{1,130}/.exec(text)?.[0] ?? text.slice(0, 5)}". ` +
      "The slot's plugin must be test_decoding of PostgreSQL 16 or newer",
  );
}
