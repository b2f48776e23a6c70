import { codedError, errorCode } from "../function/coded-error";
import { isText } from "../envelope/plain-data";

/**
 * SQLSTATE classes of a value that PostgreSQL does not take: data exception (too long, out of range, no such uuid, a NUL character) and
 * program limit exceeded (e.g. too long for an index).
 */
const REFUSED_VALUE = /^(22|54)...$/;

/** The error for a value that cannot be in the database; the database's own, which may quote the value, is its cause. */
export function refusedValue(what: string, why: string, cause?: unknown) {
  return codedError("INVALID_VALUE", `${what} has a value that PostgreSQL does not take: ${why}.`, { cause });
}

/** Whether the database refused a value, and not the statement or the moment. */
export function isRefusedValue(error: unknown): boolean {
  return REFUSED_VALUE.test(errorCode(error) ?? "");
}

/**
 * Refuses texts that PostgreSQL does not keep as they are: it has no NUL, and half of a surrogate pair reaches it as another character.
 *
 * @throws INVALID_VALUE
 */
export function checkTexts(what: string, values: readonly unknown[]): void {
  if (values.every((value) => typeof value !== "string" || isText(value))) return;
  throw refusedValue(what, "a text with a NUL character or half of a surrogate pair");
}
