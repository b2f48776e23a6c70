/**
 * An error that prevents a verdict, with a stable code. The verdict shares no code with the program, so it
 * has its own.
 */
export function failure(code: string, message: string): Error & { code: string } {
  return Object.assign(new Error(message), { code });
}

/** The error for entity tables that no domain registers. */
export function tablesUnknown(names: readonly string[]) {
  return failure(
    "TABLE_UNKNOWN",
    `There are tables that no domain registers: ${names.map((name) => `"${name}"`).join(", ")}. Their contents cannot be judged.`,
  );
}
