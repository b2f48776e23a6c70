/** An error that callers identify by its `code`, never by its message or class. */
export interface CodedError extends Error {
  /** Stable, in SCREAMING_SNAKE_CASE, e.g. "EVENT_TOO_LARGE". */
  code: string;
}

const MAX_QUOTED_CHARACTERS = 200;

/**
 * Makes an error with a stable code. This is a function and not a class, because a class that extends Error
 * loses its message when Pulumi serializes it into a Lambda package.
 *
 * @param code stable, in SCREAMING_SNAKE_CASE
 * @param message what happened, the value in quotes, where, and the remedy
 */
export function codedError(code: string, message: string, options?: { cause?: unknown }): CodedError {
  return Object.assign(new Error(message, options), { name: "CodedError", code });
}

/** The code of an error (ours, Node's, SQLSTATE, or an SDK error's `name`); undefined if it has none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === "string") return code;
  return typeof name === "string" && name !== "Error" ? name : undefined;
}

/** Shortens a text of unknown length, to quote it in messages, which go to logs and to callers. */
export function shortened(text: string): string {
  return text.length > MAX_QUOTED_CHARACTERS ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}...` : text;
}
