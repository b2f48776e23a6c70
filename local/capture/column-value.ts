import { codedError } from "../../runtime/function/coded-error";
import type { RecordSettings } from "./settings";
import type { SourceColumn } from "./source-tables";

/** A value of a record's data, ready for JSON. */
export type ColumnValue = string | number | boolean | null | RawNumber;

/** A number whose text goes into JSON as it is. */
export type RawNumber = object & { readonly rawNumber: unique symbol };

/**
 * Converts a value from PostgreSQL's text to what DMS writes to Kinesis.
 *
 * - integers and decimals are JSON numbers; of a bigint with more than 16 digits only the first 17 survive, in scientific
 *   notation, unless UseLargeIntegerValue is on and it has no more than 18;
 * - booleans are "true" and "false", times are ISO 8601 in UTC with microseconds, bytea is hexadecimal after "0x";
 * - all else is text as PostgreSQL writes it (uuid, jsonb, arrays, intervals);
 * - large objects are cut to LobMaxSize, counting two bytes a character, or four where one is outside the basic plane.
 *
 * @throws CAPTURE_LOB_TRUNCATED where FailTasksOnLobTruncation is on
 */
export function columnValue(text: string, column: SourceColumn, settings: RecordSettings): ColumnValue {
  if (column.lob)
    return limited(column.lob === "binary" ? text.replace(/^\\x/, "0x") : text, column, settings);
  switch (column.type) {
    case "smallint":
    case "integer":
      return Number(text);
    case "bigint":
      return bigInteger(text, settings);
    case "numeric":
      // DMS carries up to 38 digits; NaN and the infinities are no JSON numbers.
      return /^-?\d+(\.\d+)?$/.test(text) && text.replaceAll(/\D/g, "").length <= 38 ? rawNumber(text) : text;
    case "real":
    case "double precision":
      return Number.isFinite(Number(text)) ? Number(text) : text;
    case "boolean":
      return settings.booleans ? text === "true" : text;
    case "timestamp without time zone":
    case "timestamp with time zone":
      return dmsTimestamp(text);
    default:
      return text;
  }
}

/**
 * Writes a time as DMS does: "2024-07-29T00:58:17.974340Z".
 *
 * @param text PostgreSQL's ISO notation of a session in UTC, e.g. "2024-07-29 00:58:17.97434+00"
 */
export function dmsTimestamp(text: string): string {
  // AWS DMS user guide, PostgreSQL source: the infinities become these dates.
  if (text === "infinity") return "9999-12-31T23:59:59.000000Z";
  if (text === "-infinity") return "4713-01-01T00:00:00.000000Z BC";
  const [, date, time, fraction = "", era = ""] =
    /^(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?( BC)?$/.exec(text) ?? [];
  return date === undefined ? text : `${date}T${time}.${fraction.padEnd(6, "0")}Z${era}`;
}

// JSON.rawJSON (in Node 22 and newer) is not in TypeScript's library yet.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

function rawNumber(text: string): RawNumber {
  return rawJSON(text) as RawNumber;
}

function bigInteger(text: string, { largeIntegers }: RecordSettings): ColumnValue {
  const digits = text.replace("-", "").length;
  if (digits <= 16 || (largeIntegers && digits <= 18)) return rawNumber(text);
  return rawNumber(Number(text).toExponential());
}

function limited(text: string, column: SourceColumn, { lobs }: RecordSettings): string {
  // Two UTF-16 units are one character of four bytes.
  const bytesPerUnit = column.lob === "binary" ? 0.5 : /[\ud800-\udbff]/.test(text) ? 4 : 2;
  if (text.length * bytesPerUnit <= lobs.maxBytes) return text;
  if (lobs.failOnTruncation) {
    throw codedError(
      "CAPTURE_LOB_TRUNCATED",
      `The column "${column.name}" has a value of ${Math.ceil((text.length * bytesPerUnit) / 1024)} KiB as DMS counts it, more than the task's ` +
        `LobMaxSize of ${lobs.maxBytes / 1024} KiB, and FailTasksOnLobTruncation is on. Raise LobMaxSize`,
    );
  }
  return text.slice(0, Math.floor(lobs.maxBytes / bytesPerUnit));
}
