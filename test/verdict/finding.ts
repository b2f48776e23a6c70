import type { Guarantee } from "./guarantees";

/** One place where a guarantee does not hold. */
export interface Finding {
  guarantee: Guarantee;
  /** The aggregate, event, row, message or request, e.g. `customers.Customer "..." version 3`. */
  where: string;
  expected: string;
  found: string;
}

/** Makes the findings of one guarantee; values other than texts are shown as JSON. */
export function finder(guarantee: Guarantee) {
  return (where: string, expected: unknown, found: unknown): Finding => ({
    guarantee,
    where,
    expected: spelled(expected),
    found: spelled(found),
  });
}

/** Enough to recognize a payload, which may have 240 KB. */
const LONGEST_TEXT_CHARACTERS = 1_000;

function spelled(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  if (text.length <= LONGEST_TEXT_CHARACTERS) return text;
  return `${text.slice(0, LONGEST_TEXT_CHARACTERS)}... (${text.length} characters)`;
}
