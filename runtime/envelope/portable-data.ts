import type { z } from "zod";
import { type DataIssue, dataIssues } from "./data-issues";

/*
 * Data and ids that every store and transport keeps unchanged: PostgreSQL's jsonb, DynamoDB's items, and JSON
 * in UTF-8.
 */

/**
 * Characters (code points) of an id: what the outbox's columns hold (framework migration 0002); less than any
 * DynamoDB key.
 */
const MAX_ID_CHARACTERS = 256;

/** The rule for an id, for messages. */
export const ID_RULE = `a text of 1 to ${MAX_ID_CHARACTERS} characters, without NUL and half surrogate pairs`;

/**
 * Whether every store takes a value as an id: of an aggregate, an event, a request, a correlation or a trace.
 */
export function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && hasIdLength(value) && isText(value);
}

function hasIdLength(text: string): boolean {
  if (text.length <= MAX_ID_CHARACTERS) return true;
  return text.length <= 2 * MAX_ID_CHARACTERS && [...text].length <= MAX_ID_CHARACTERS;
}

/** Whether a text stays the same in UTF-8, and can be stored in PostgreSQL. */
export function isText(text: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(text);
}

/** Why data is not portable, and where in it. */
export interface DataFault {
  path: (string | number)[];
  message: string;
}

/**
 * Levels that a change or a state may be nested: one less than a DynamoDB item, so that a projection can keep
 * it in a field.
 */
export const MAX_LEVELS = 31;

/** The smallest number above 0 that DynamoDB holds. Source: Amazon DynamoDB, data types. */
const MIN_NUMBER = 1e-130;

/**
 * Finds what a store or transport would alter or refuse. Portable are texts without NUL and without half
 * surrogate pairs, numbers that a double holds exactly, booleans, null, lists and plain objects, nested at
 * most `levels` deep; keys of objects must not be names that JavaScript treats specially.
 *
 * @param levels how deep it may be nested; the outermost object or list is one
 * @returns the first fault; undefined when there is none
 */
export function dataFault(data: unknown, levels = MAX_LEVELS): DataFault | undefined {
  switch (typeof data) {
    case "string":
      return isText(data) ? undefined : fault("holds a NUL character or half of a surrogate pair");
    case "number":
      return isNumber(data) ? undefined : fault("is a number that not every store holds");
    case "object":
      return data === null ? undefined : faultWithin(data, levels);
    case "boolean":
    case "undefined":
      return undefined;
    default:
      return fault(`is a ${typeof data}, which JSON does not have`);
  }
}

/**
 * Where a fault is, for messages about data whose schema is not known: the outermost field, and no key below it,
 * which may be a value.
 */
export function placeOf({ path }: DataFault): string {
  const [field, ...deeper] = path;
  const named = typeof field === "string" && /^[A-Za-z]\w{0,63}$/.test(field) ? `"${field}"` : "a field";
  return deeper.length > 0 ? `a value in ${named}` : named;
}

/** Recurses no deeper than allowed, so that no input overflows the stack. */
function faultWithin(data: object, levels: number): DataFault | undefined {
  if (levels <= 0) return fault("is nested too deeply");
  if (Array.isArray(data)) {
    for (let index = 0; index < data.length; index += 1) {
      const found = dataFault(data[index], levels - 1);
      if (found) return { ...found, path: [index, ...found.path] };
    }
    return undefined;
  }
  if (!isPlain(data)) return fault("is an object that JSON does not have");
  for (const [key, value] of Object.entries(data)) {
    if (key === "__proto__" || key === "constructor") return fault(`has the key "${key}", which is refused`);
    const found = isText(key)
      ? dataFault(value, levels - 1)
      : fault("is a key with a NUL character or half of a surrogate pair");
    if (found) return { ...found, path: [key, ...found.path] };
  }
  return undefined;
}

function fault(message: string): DataFault {
  return { path: [], message };
}

/** -0 passes; stores turn it into 0. */
function isNumber(number: number): boolean {
  const size = Math.abs(number);
  return size <= Number.MAX_SAFE_INTEGER && (size === 0 || size >= MIN_NUMBER);
}

function isPlain(data: object): boolean {
  const prototype = Object.getPrototypeOf(data) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Parses JSON; undefined for a text that is not JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Data as its schema yields it, or what is wrong with it. */
export type ParsedData<T> = { data: T } | { issues: DataIssue[] };

/** Parses data by a schema, and refuses what is not portable. Never throws, whatever the data. */
export function parseData<T>(schema: z.ZodType<T>, value: unknown): ParsedData<T> {
  const parsed = parsedBy(schema, value);
  return "data" in parsed ? (issuesOf(schema, parsed.data) ?? parsed) : parsed;
}

/**
 * Parses an input by a schema, which may make of it what is not portable: a `Date`, a bigint, a map. Never throws,
 * whatever the input.
 *
 * @param spelled spells what was sent, and what the schema yields
 */
export function parseInput<T>(
  schema: z.ZodType<T>,
  value: unknown,
  spelled: (schema: z.ZodType<T>, value: unknown, side: "in" | "out") => unknown,
): ParsedData<T> {
  const issues = issuesOf(schema, value);
  if (issues) return issues;
  return caught(() => {
    const parsed = parsedBy(schema, spelled(schema, value, "in"));
    return "data" in parsed ? { data: spelled(schema, parsed.data, "out") as T } : parsed;
  });
}

function issuesOf(schema: z.ZodType, data: unknown): { issues: DataIssue[] } | undefined {
  const fault = dataFault(data);
  return fault && { issues: dataIssues(schema, data, [fault]) };
}

function parsedBy<T>(schema: z.ZodType<T>, value: unknown): ParsedData<T> {
  return caught(() => {
    const { success, data, error } = schema.safeParse(value);
    return success ? { data } : { issues: dataIssues(schema, value, error.issues) };
  });
}

function caught<T>(parse: () => ParsedData<T>): ParsedData<T> {
  try {
    return parse();
  } catch {
    // A recursive schema follows the data until the stack overflows; a contract's own check may throw too.
    return {
      issues: [{ path: "", message: "cannot be checked: it is nested too deeply, or a check failed" }],
    };
  }
}
