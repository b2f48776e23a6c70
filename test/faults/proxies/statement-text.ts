import type { Frame } from "./message-frames";

/** Where the content of a message begins: behind its type and length. */
const CONTENT = 5;

/** Tells of each message of a connection which statement it runs; undefined for a message that runs none. */
export function statementTexts(): (frame: Frame) => string | undefined {
  const prepared = new Map<string, string>();
  return ({ type, bytes }) => {
    // Texts come first in each of these messages, and each ends with a zero.
    const [first = "", second = ""] = bytes.toString("utf8", CONTENT).split("\0", 2);
    switch (type) {
      case "Q":
        return first;
      case "P":
        prepared.set(first, second);
        return undefined;
      case "B":
        return prepared.get(second);
      default:
        return undefined;
    }
  };
}
