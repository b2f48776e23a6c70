import { mapIn, type VariableName } from "./handler";

/*
 * How a variable names tables. A short list is a JSON object: {"customers":"orders-customers-projection-1a2b3c4"}. A
 * long one is compact, because Lambda limits the variables of a function to 4 KB in all, and counts each quotation mark
 * twice: "orders-*-projection- customers=1a2b3c4 products=5d6e7f8". The first word is what the physical names begin
 * with, with "*" for the registered name; then comes what each ends with. Names of tables have neither "*" nor "=".
 */

/** Bytes of JSON above which names are written in the compact form. */
const LONGEST_JSON = 512;

/** Writes table as registered -> physical name, for a variable. */
export function writeTableNames(tables: Readonly<Record<string, string>>): string {
  const json = JSON.stringify(tables);
  if (json.length <= LONGEST_JSON) return json;
  const patterns = Object.entries(tables).map(
    ([name, physical]) => [name, patternOf(name, physical)] as const,
  );
  const start = commonStart(patterns.map(([, pattern]) => pattern));
  return [start, ...patterns.map(([name, pattern]) => `${name}=${pattern.slice(start.length)}`)].join(" ");
}

/**
 * Reads table as registered -> physical name.
 *
 * @param variable for messages
 * @throws VARIABLE_MALFORMED
 */
export function readTableNames(variable: VariableName, value: string): Record<string, string> {
  if (!COMPACT.test(value)) return mapIn(variable, value);
  const [start = "", ...entries] = value.split(" ");
  return Object.fromEntries(
    entries.map((entry) => {
      const [name = "", end = ""] = entry.split("=");
      return [name, (start + end).replace("*", name)];
    }),
  );
}

const COMPACT = /^[\w.*-]*(?: \w+=[\w.*-]*)+$/;

/** A table's name begins with its domain's, which may contain the table's; so the last occurrence counts. */
function patternOf(name: string, physical: string): string {
  const index = physical.lastIndexOf(`-${name}-`);
  return index < 0 ? physical : `${physical.slice(0, index)}-*-${physical.slice(index + name.length + 2)}`;
}

function commonStart(texts: readonly string[]): string {
  const [first = ""] = texts;
  let length = first.length;
  for (const text of texts) while (!text.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}
