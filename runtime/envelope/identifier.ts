import { isText } from "./plain-data";

/** Characters (code points) of an id: what the outbox's columns hold (migration 0002), and less than any key of DynamoDB. */
export const MAX_ID_CHARACTERS = 256;

/** Whether a value can be an id everywhere: of an aggregate, an event, a request, what is correlated, or a trace. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && fits(value) && isText(value);
}

/** What an id must be, for messages. */
export const ID_RULE = `a text of 1 to ${MAX_ID_CHARACTERS} characters, without NUL and half surrogate pairs`;

function fits(text: string): boolean {
  if (text.length <= MAX_ID_CHARACTERS) return true;
  return text.length <= 2 * MAX_ID_CHARACTERS && [...text].length <= MAX_ID_CHARACTERS;
}
