import { createHash } from "node:crypto";
import { codedError } from "../function/coded-error";

/**
 * Tells a request from another one under the same id: a hash of the command and its input as it was sent. The order of an object's
 * fields does not count, since JSON gives it no meaning.
 *
 * @throws REQUEST_MALFORMED for an input that is nested too deeply to be looked through
 */
export function fingerprintOf(command: string, input: unknown): string {
  return createHash("sha256")
    .update(sortedJson([command, input]))
    .digest("base64url");
}

function sortedJson(value: unknown): string {
  try {
    return JSON.stringify(value, withSortedFields);
  } catch (cause) {
    // The stack is at its end after some thousand levels; nothing else fails here.
    throw codedError(
      "REQUEST_MALFORMED",
      "The input is nested too deeply to be told from others. Send it with fewer levels.",
      { cause },
    );
  }
}

function withSortedFields(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
