import { type DataIssue, issuesText } from "../envelope/data-issues";
import { codedError, errorCode } from "../function/coded-error";

/**
 * SQLSTATE classes of a value that PostgreSQL does not accept: data exception (too long, out of range, not a
 * uuid, a NUL character) and program limit exceeded (e.g. too long for an index).
 */
const REFUSED_VALUE = /^(22|54)[0-9A-Z]{3}$/;

/** Whether the database refused a value, and not the statement as such. */
export function isRefusedSqlstate(code: string): boolean {
  return REFUSED_VALUE.test(code);
}

/**
 * The error for a value that its schema takes and the database does not.
 *
 * @param what what holds the value, for the message
 * @param issues which values; a command answers with them
 */
export function refusedValue(what: string, issues: DataIssue[], cause?: unknown) {
  const message = `${what} has a value that the database does not take: ${issuesText(issues)}. Nothing was written.`;
  return Object.assign(codedError("INVALID_VALUE", message, { cause }), { issues });
}

/** Errors about the content of what a store was to write, as distinct from mistakes in a domain's code. */
const ABOUT_CONTENT = [
  "INVALID_VALUE",
  "VALUE_CHANGED",
  "INVALID_KEY",
  "INVALID_ITEM",
  "ITEM_TOO_LARGE",
  "EVENT_TOO_LARGE",
];

/**
 * What is wrong with the values that a command was given, if that is why its commit or its read failed;
 * undefined for any other error.
 */
export function refusedValues(error: unknown): DataIssue[] | undefined {
  const code = errorCode(error) ?? "";
  const { issues, message } = error as { issues?: DataIssue[]; message?: string };
  if (ABOUT_CONTENT.includes(code)) return issues ?? [{ path: "", message: message ?? code }];
  if (!isRefusedSqlstate(code)) return undefined;
  return [{ path: "", message: `holds a value that the database does not take (SQLSTATE ${code})` }];
}
