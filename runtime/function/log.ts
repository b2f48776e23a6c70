/**
 * Writes one line of JSON to the function's log. Never pass payloads, inputs or secrets: identifiers and
 * counts only.
 */
export function log(
  level: "info" | "warn" | "error",
  message: string,
  fields: Record<string, unknown> = {},
): void {
  console[level](JSON.stringify({ level, message, ...fields }));
}
