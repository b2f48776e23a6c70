import type { z } from "zod";
import { codedError } from "../function/coded-error";

/*
 * What a table's fields hold, whatever the store. A contract's state, the changes of its events and a table's
 * private fields are data: their schemas describe values and change none, so that what is stored, read, published
 * and projected is the same. `docs/fields.md` has the table of types.
 */

/** What a value may be, at any depth. */
export type Shape =
  | { kind: "text" | "number" | "boolean" | "scalar" }
  | { kind: "object"; fields: Record<string, Shape>; required: string[] }
  | { kind: "map" | "list"; of: Shape }
  | { kind: "tuple"; items: Shape[]; of?: Shape }
  | { kind: "variants"; discriminator: string; by: Record<string, Shape> };

/** A field of a table. */
export interface Field {
  kind: "text" | "uuid" | "datetime" | "date" | "integer" | "number" | "boolean" | "json";
  isOptional: boolean;
  isNullable: boolean;
  /** Of a datetime: the digits of its seconds that the schema demands, -1 for none; null for any number. */
  digits: number | null;
  shape: Shape;
}

/** Field -> what it holds. */
export type Fields = Readonly<Record<string, Field>>;

/** The fields of a table. */
export interface TableFields {
  /** The public state. */
  public: Fields;
  private: Fields;
  all: Fields;
}

/** The parts of zod's definitions that this looks at. Source: zod 4, core/schemas. */
interface Definition {
  type: string;
  format?: string;
  precision?: number | null;
  local?: boolean;
  normalize?: boolean;
  coerce?: boolean;
  checks?: readonly { _zod: { def: { check: string; format?: string; precision?: number | null } } }[];
  innerType: z.core.$ZodType;
  options: readonly z.core.$ZodType[];
  discriminator?: string;
  entries: Record<string, unknown>;
  values: readonly unknown[];
  shape: Record<string, z.core.$ZodType>;
  catchall?: z.core.$ZodType;
  element: z.core.$ZodType;
  items: readonly z.core.$ZodType[];
  rest: z.core.$ZodType | null;
  keyType: z.core.$ZodType;
  valueType: z.core.$ZodType;
}

/** The formats of texts that are kept in one spelling, whatever spelling was given. */
const UUID_FORMATS = ["uuid", "guid"];

/**
 * Describes the fields of a schema.
 *
 * @throws FIELD_UNUSABLE for a schema that changes values, or whose values no store can keep
 */
export function fieldsOf(schema: z.ZodObject): Fields {
  checkClosed(schema._zod.def as unknown as Definition, "");
  return Object.fromEntries(Object.entries(schema.shape).map(([name, one]) => [name, fieldOf(one, name)]));
}

/**
 * Describes the fields of a table.
 *
 * @throws FIELD_UNUSABLE
 */
export function tableFields(state: z.ZodObject, hidden: z.ZodObject): TableFields {
  const [published, unpublished] = [fieldsOf(state), fieldsOf(hidden)];
  return { public: published, private: unpublished, all: { ...published, ...unpublished } };
}

/**
 * Describes a field.
 *
 * @param path where it is, for errors
 * @throws FIELD_UNUSABLE
 */
export function fieldOf(schema: z.core.$ZodType, path: string): Field {
  const definition = schema._zod.def as unknown as Definition;
  const described = (kind: Field["kind"], shape: Shape, more: Partial<Field> = {}): Field => ({
    ...{ kind, isOptional: false, isNullable: false, digits: null },
    ...{ shape, ...more },
  });
  if (definition.coerce) throw unusable(path, "is coerced", "Coerce in the input of the command");
  const formats = (definition.checks ?? []).map(({ _zod }) => _zod.def);
  if (definition.normalize || formats.some(({ check }) => check === "overwrite"))
    throw unusable(
      path,
      "changes its value (trim, toLowerCase, normalize, ...)",
      "Change it in the input of the command",
    );
  switch (definition.type) {
    case "string":
    case "template_literal":
      return textField([definition, ...formats] as Format[], described);
    case "number": {
      const isWhole = [definition, ...formats].some(({ format }) => /int/.test(format ?? ""));
      return described(isWhole ? "integer" : "number", { kind: "number" });
    }
    case "boolean":
      return described("boolean", { kind: "boolean" });
    case "null":
      return described("text", { kind: "scalar" }, { isNullable: true });
    case "enum":
      return ofValues(Object.values(definition.entries), described);
    case "literal":
      return ofValues(definition.values, described);
    case "optional":
      return { ...fieldOf(definition.innerType, path), isOptional: true };
    case "nullable":
      return { ...fieldOf(definition.innerType, path), isNullable: true };
    case "default":
    case "nonoptional":
      return { ...fieldOf(definition.innerType, path), isOptional: false };
    case "readonly":
      return fieldOf(definition.innerType, path);
    case "union":
      return unionField(definition, path, described);
    default:
      return described("json", structureOf(definition, path));
  }
}

interface Format {
  format?: string;
  precision?: number | null;
  local?: boolean;
}
type Described = (kind: Field["kind"], shape: Shape, more?: Partial<Field>) => Field;

function textField(formats: Format[], described: Described): Field {
  const text: Shape = { kind: "text" };
  if (formats.some(({ format }) => UUID_FORMATS.includes(format ?? ""))) return described("uuid", text);
  const datetime = formats.find(({ format }) => format === "datetime");
  // Without a time zone it is no point in time.
  if (datetime && !datetime.local) return described("datetime", text, { digits: datetime.precision ?? null });
  return described(formats.some(({ format }) => format === "date") ? "date" : "text", text);
}

function ofValues(values: readonly unknown[], described: Described): Field {
  const isNullable = values.includes(null);
  const isOptional = values.includes(undefined);
  const given = values.filter((value) => value !== null && value !== undefined);
  const all = (type: string) => given.every((value) => typeof value === type);
  const more = { isNullable, isOptional };
  if (all("string")) return described("text", { kind: "text" }, more);
  if (all("boolean")) return described("boolean", { kind: "boolean" }, more);
  if (all("number"))
    return described(given.every(Number.isInteger) ? "integer" : "number", { kind: "number" }, more);
  return described("json", { kind: "scalar" }, more);
}

function unionField({ options, discriminator }: Definition, path: string, described: Described): Field {
  if (discriminator !== undefined) return described("json", variantsOf(options, discriminator, path));
  const fields = options.map((option) => fieldOf(option, path));
  const valued = fields.filter(({ shape, isNullable }) => !(isNullable && shape.kind === "scalar"));
  const more = {
    isNullable: fields.some(({ isNullable }) => isNullable),
    isOptional: fields.some(({ isOptional }) => isOptional),
  };
  const [first, ...others] = valued;
  if (!first) return described("text", { kind: "scalar" }, more);
  if (others.length === 0) return { ...first, ...more };
  const shapes = valued.map(({ shape }) => shape.kind);
  if (shapes.some((kind) => !["text", "number", "boolean", "scalar"].includes(kind)))
    throw unusable(
      path,
      "is a union of objects or lists without a discriminator",
      "Use z.discriminatedUnion",
    );
  const kinds = new Set(valued.map(({ kind }) => kind));
  if (kinds.size === 1) return { ...first, ...more };
  if (shapes.every((kind) => kind === "number")) return described("number", { kind: "number" }, more);
  if (shapes.every((kind) => kind === "text")) return described("text", { kind: "text" }, more);
  return described("json", { kind: "scalar" }, more);
}

/** The shape of an object or a list. */
function structureOf(definition: Definition, path: string): Shape {
  const within = (schema: z.core.$ZodType, name: string) => fieldOf(schema, `${path}.${name}`).shape;
  switch (definition.type) {
    case "object": {
      checkClosed(definition, path);
      const fields = Object.entries(definition.shape).map(
        ([name, one]) => [name, fieldOf(one, `${path}.${name}`)] as const,
      );
      return {
        kind: "object",
        fields: Object.fromEntries(fields.map(([name, { shape }]) => [name, shape])),
        required: fields.filter(([, { isOptional }]) => !isOptional).map(([name]) => name),
      };
    }
    case "array":
      return { kind: "list", of: within(definition.element, "*") };
    case "record":
      within(definition.keyType, "(key)");
      return { kind: "map", of: within(definition.valueType, "*") };
    case "tuple": {
      const items = definition.items.map((item, index) => within(item, String(index)));
      return { kind: "tuple", items, ...(definition.rest ? { of: within(definition.rest, "*") } : {}) };
    }
    case "lazy":
      throw unusable(path, "refers to itself, so its depth has no limit", "Nest it as deep as it is needed");
    case "pipe":
    case "transform":
    case "catch":
    case "prefault":
      throw unusable(
        path,
        "changes its value (transform, pipe, preprocess, catch)",
        "Change it in the input of the command",
      );
    default:
      throw unusable(
        path,
        `is of the type ${definition.type}, which JSON and the stores do not keep exactly`,
        "Use a type of docs/fields.md, e.g. z.iso.datetime() for a time",
      );
  }
}

function variantsOf(options: readonly z.core.$ZodType[], discriminator: string, path: string): Shape {
  const by: Record<string, Shape> = {};
  for (const option of options) {
    const definition = option._zod.def as unknown as Definition;
    const values = definition.type === "object" && option._zod.propValues?.[discriminator];
    if (!values)
      throw unusable(path, "has variants that are not plain objects", "List the objects themselves");
    const shape = structureOf(definition, path);
    for (const value of values) by[String(value)] = shape;
  }
  return { kind: "variants", discriminator, by };
}

/** An open object would let private fields out. */
function checkClosed({ catchall }: Definition, path: string): void {
  const type = (catchall?._zod.def as Definition | undefined)?.type;
  if (type === undefined || type === "never") return;
  throw unusable(
    path,
    "takes fields that it does not name (looseObject, passthrough, catchall)",
    "Name every field, or use z.record",
  );
}

function unusable(path: string, problem: string, remedy: string) {
  return codedError(
    "FIELD_UNUSABLE",
    `${path ? `The field "${path}"` : "The schema"} ${problem}. ${remedy}.`,
  );
}

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
  if (field.kind === "uuid") return value.toLowerCase();
  return field.kind === "datetime" ? canonicalDatetime(value, field.digits) : value;
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
