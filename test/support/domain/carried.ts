/**
 * An independent implementation of which data every store and the bus keep unchanged, to compare the
 * runtime's with.
 */
import { marshall } from "@aws-sdk/util-dynamodb";

const MAX_LEVELS = 31;

/** Whether UTF-8, JSON, PostgreSQL's jsonb and DynamoDB return the data unchanged. */
export function isCarried(data: unknown): boolean {
  const waiting: [value: unknown, level: number][] = [[data, 0]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [value, level] = next;
    if (typeof value === "string" && !isKept(value)) return false;
    if (typeof value === "number" && JSON.parse(JSON.stringify(value)) !== value && value !== 0) return false;
    if (typeof value !== "object" || value === null) continue;
    if (level === MAX_LEVELS) return false;
    for (const [key, child] of Object.entries(value)) {
      if (!isKept(key) || key === "__proto__" || key === "constructor") return false;
      waiting.push([child, level + 1]);
    }
  }
  return isMarshalled(data);
}

function isKept(text: string): boolean {
  return Buffer.from(text).toString() === text && !text.includes("\0");
}

function isMarshalled(data: unknown): boolean {
  try {
    return !/"N":"[^"]*e-(1[3-9]\d|[2-9]\d\d)"/.test(JSON.stringify(marshall({ data })));
  } catch {
    return false;
  }
}
