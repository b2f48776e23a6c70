import type { z } from "zod";
import { shortened } from "../function/coded-error";

/**
 * What is wrong with data, and where: declared field names and positions in lists, joined by dots; "" for all of
 * it. Without values, and without the keys of records: they may be private.
 */
export interface DataIssue {
  path: string;
  message: string;
}

/**
 * Issues that are reported. A hostile input could have any number, in an answer larger than Lambda allows.
 */
const MAX_ISSUES = 20;
/** Values of the data that a message is compared with. */
const MAX_VALUES = 2_000;
/** In place of a key that the data brings along. */
const KEY_OF_DATA = "*";

/** An issue as zod has it, or a fault of the data. */
interface RawIssue {
  code?: string;
  path: readonly PropertyKey[];
  message: string;
}

/**
 * Makes issues that can be shown to anybody: a message that repeats a value of the data is replaced, as a
 * contract's own checks may write it.
 */
export function dataIssues(schema: z.ZodType, data: unknown, issues: readonly RawIssue[]): DataIssue[] {
  const declared = declaredNames(schema);
  const values = valuesIn(data, declared);
  return issues.slice(0, MAX_ISSUES).map(({ code = "refused", path, message }) => ({
    path: shortened(path.map((key) => placeIn(declared, key)).join(".")),
    message:
      code === "unrecognized_keys"
        ? "has fields that are not declared"
        : unlessQuoting(message, values, code),
  }));
}

/** Issues in one line. */
export function issuesText(issues: DataIssue[]): string {
  return issues.map(({ path, message }) => `${path || "(root)"}: ${message}`).join("; ");
}

function placeIn(declared: ReadonlySet<string>, key: PropertyKey): string {
  return typeof key === "number" || declared.has(String(key)) ? String(key) : KEY_OF_DATA;
}

function unlessQuoting(message: string, values: ReadonlySet<string>, code: string): string {
  const text = message.toLowerCase();
  const isQuoted = [...values].some((value) => text.includes(value) && isWordIn(text, value));
  return isQuoted ? `is refused (${code})` : shortened(message);
}

/** Whether a text has a value as a word, so that "1" is not found in "10". */
function isWordIn(text: string, value: string): boolean {
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    const around = [text[at - 1], text[at + value.length]];
    if (around.every((character) => character === undefined || !/[\p{L}\p{N}]/u.test(character))) return true;
  }
  return false;
}

/** Texts and numbers in the data, and keys that no schema declares, in lower case. */
function valuesIn(data: unknown, declared: ReadonlySet<string>): Set<string> {
  const values = new Set<string>();
  const waiting = [data];
  for (let seen = 0; waiting.length > 0 && seen < MAX_VALUES; seen += 1) {
    const one = waiting.pop();
    if (["string", "number", "bigint"].includes(typeof one)) {
      const text = String(one).trim().toLowerCase();
      if (text) values.add(text);
    } else if (typeof one === "object" && one !== null) {
      for (const key of Array.isArray(one) ? [] : Object.keys(one)) if (!declared.has(key)) waiting.push(key);
      waiting.push(...Object.values(one).slice(0, MAX_VALUES));
    }
  }
  return values;
}

/** The names of all fields that a schema declares, at any depth. */
function declaredNames(schema: z.ZodType): Set<string> {
  const names = new Set<string>();
  const seen = new Set<unknown>();
  const visit = (one: unknown): void => {
    if (typeof one !== "object" || one === null || seen.has(one)) return;
    seen.add(one);
    const def = (one as { _zod?: { def?: Record<string, unknown> } })._zod?.def;
    if (!def) {
      // Lists of schemas, and objects of schemas by field.
      Object.values(one).forEach(visit);
      return;
    }
    for (const name of Object.keys(def["shape"] ?? {})) names.add(name);
    if (typeof def["getter"] === "function") visit((def["getter"] as () => unknown)());
    Object.values(def).forEach(visit);
  };
  visit(schema);
  return names;
}
