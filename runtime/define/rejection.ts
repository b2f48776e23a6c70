/** The expected refusal of a command: the caller receives it as a value, and nothing is written. */
export interface Rejection {
  kind: "rejection";
  /** Stable, in SCREAMING_SNAKE_CASE. */
  code: string;
  /** For people: why, and what to do. */
  message: string;
  /** The constraint of the database that refused the change. @default none: the command itself refused */
  constraint?: string;
}

/**
 * Refuses a command.
 *
 * @param code stable, in SCREAMING_SNAKE_CASE
 * @param message for people: why, and what to do
 */
export function reject(code: string, message: string): Rejection {
  return { kind: "rejection", code, message };
}
