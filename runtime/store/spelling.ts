import type { z } from "zod";
import type { AnyAggregate } from "../define/aggregate";
import type { Field, Fields, Shape } from "../define/fields";
import { type Definition, fieldOf, isUuid } from "./fields";

/** Some fields of a row, each in the one spelling in which it is kept; other fields stay as they are. */
export function canonicalRow(fields: Fields, row: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(row).map(([name, value]) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    return [name, field ? canonical(field, value) : value];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/**
 * A field's value in the one spelling in which it is kept: a UUID in lower case, a time in UTC with milliseconds
 * or as many digits as its schema demands. Any other value, and what is not of the field's type, stays as it is.
 */
export function canonical(field: Field, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (field.kind === "uuid") return spelledUuid(value);
  return field.kind === "datetime" ? canonicalDatetime(value, field.digits) : value;
}

function spelledUuid(text: string): string {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text) ? text.toLowerCase() : text;
}

function canonicalDatetime(text: string, digits: number | null): string {
  const [, seconds = "", fraction = "", offset = ""] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)$/.exec(text) ?? [];
  const time = Date.parse(`${seconds}${offset}`);
  if (Number.isNaN(time)) return text;
  const utc = new Date(time).toISOString().slice(0, 19);
  const significant = fraction.replace(/0+$/, "");
  if (digits === -1) return significant === "" && utc.endsWith(":00") ? `${utc.slice(0, 16)}Z` : text;
  const wanted = digits ?? (significant.length > 3 ? Math.max(6, significant.length) : 3);
  if (significant.length > wanted) return text;
  return wanted === 0 ? `${utc}Z` : `${utc}.${significant.padEnd(wanted, "0")}Z`;
}

/** A text that a field is looked up by, in the spelling in which the field is kept. */
export function canonicalText(field: Field | undefined, text: string): string {
  return field ? (canonical(field, text) as string) : text;
}

/** Makes the function that spells an aggregate's ids as they are kept, whoever wrote them. */
export function idSpelling({ key, state }: AnyAggregate): (id: string) => string {
  const schema = state().shape[key];
  const field = schema && fieldOf(schema, key);
  return (id) => canonicalText(field, id);
}

/** The fields of an item as a row of PostgreSQL says them: what the schemas name, null where it may be absent. */
export function rowOf(fields: Fields, item: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(fields).flatMap(([name, { isNullable, shape }]) => {
    const value = item[name] ?? null;
    return value === null && !isNullable ? [] : [[name, named(shape, value)] as const];
  });
  return Object.fromEntries(entries);
}

/** What a shape names of a value, at every depth; what is not of the shape stays as it is. */
function named(shape: Shape | undefined, value: unknown): unknown {
  if (!shape || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = shape.kind === "tuple" ? shape.items : [];
    const of = "of" in shape ? shape.of : undefined;
    return value.map((part, index) => named(items[index] ?? of, part));
  }
  const all = Object.entries(value);
  switch (shape.kind) {
    case "object": {
      const known = all.filter(([name]) => Object.hasOwn(shape.fields, name));
      return Object.fromEntries(known.map(([name, part]) => [name, named(shape.fields[name], part)]));
    }
    case "map":
      return Object.fromEntries(all.map(([name, part]) => [name, named(shape.of, part)]));
    case "variants": {
      const variant = String((value as Record<string, unknown>)[shape.discriminator]);
      return Object.hasOwn(shape.by, variant) ? named(shape.by[variant], value) : value;
    }
    default:
      return value;
  }
}

/**
 * An input with every UUID in lower case, so that a command compares and keeps one spelling. Keys of records stay
 * as they are.
 *
 * @param side which side of a pipe or transform the input is on: as it was sent, or as its schema yields it
 */
export function canonicalInput(schema: z.core.$ZodType, input: unknown, side: "in" | "out"): unknown {
  const definition = schema._zod.def as unknown as Definition & {
    left: z.core.$ZodType;
    right: z.core.$ZodType;
  };
  const within = (one: z.core.$ZodType, part: unknown) => canonicalInput(one, part, side);
  if (typeof input === "string" && definition.type === "string") {
    const formats = [definition, ...(definition.checks ?? []).map(({ _zod }) => _zod.def)];
    return formats.some(isUuid) ? spelledUuid(input) : input;
  }
  switch (definition.type) {
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
    case "catch":
      return within(definition.innerType, input);
    case "lazy":
      return within(definition.getter(), input);
    case "pipe":
      return within(definition[side], input);
    case "intersection":
      return within(definition.right, within(definition.left, input));
    case "union": {
      const option = definition.options.find((one) => takes(one, input));
      return option ? within(option, input) : input;
    }
  }
  if (typeof input !== "object" || input === null) return input;
  switch (definition.type) {
    case "array":
      return Array.isArray(input) ? input.map((part) => within(definition.element, part)) : input;
    case "tuple": {
      const { items, rest } = definition;
      const of = (index: number) => items[index] ?? rest;
      const spelled = (part: unknown, index: number) => (of(index) ? within(of(index)!, part) : part);
      return Array.isArray(input) ? input.map(spelled) : input;
    }
    case "object": {
      const own = Object.entries(definition.shape).filter(([name]) => Object.hasOwn(input, name));
      const given = input as Record<string, unknown>;
      return { ...input, ...Object.fromEntries(own.map(([name, one]) => [name, within(one, given[name])])) };
    }
    case "record": {
      const spelled = Object.entries(input).map(([name, part]) => [name, within(definition.valueType, part)]);
      return Array.isArray(input) ? input : (Object.fromEntries(spelled) as unknown);
    }
    default:
      return input;
  }
}

function takes(option: z.core.$ZodType, input: unknown): boolean {
  try {
    return (option as z.ZodType).safeParse(input).success;
  } catch {
    return false;
  }
}
