import { inspect } from "node:util";

/**
 * Everything that a log could show of an error: what Lambda's runtime prints (all properties of the error and of
 * its causes, and the stack trace), and whatever else is in it, hidden or not.
 */
export function everythingIn(error: unknown): string {
  const seen = new Set<unknown>();
  const visit = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return String(value);
    if (seen.has(value)) return "";
    seen.add(value);
    return Reflect.ownKeys(value).map((key) => [
      String(key),
      visit((value as Record<PropertyKey, unknown>)[key]),
    ]);
  };
  const shown = inspect(error, {
    depth: Infinity,
    showHidden: true,
    maxStringLength: Infinity,
    maxArrayLength: Infinity,
  });
  return `${JSON.stringify(visit(error))}\n${shown}`;
}
