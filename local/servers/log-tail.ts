import { readFileSync } from "node:fs";

/** The last lines of a log, indented, for an error message. Empty if the log is empty or missing. */
export function logTail(path: string, lines = 15): string {
  try {
    const all = readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
    return all
      .slice(-lines)
      .filter((line) => line !== "")
      .map((line) => `\n    ${line}`)
      .join("");
  } catch {
    return "";
  }
}
