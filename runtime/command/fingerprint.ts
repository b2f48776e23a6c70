import { createHash } from "node:crypto";

/**
 * Tells a request from another one under the same id: a hash of the command and its input as it was sent. The order of an object's
 * fields does not count, since JSON gives it no meaning.
 */
export function fingerprintOf(command: string, input: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify([command, input], withSortedFields))
    .digest("base64url");
}

function withSortedFields(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
