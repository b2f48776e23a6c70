import type { z } from "zod";
import type { Field, Fields, Shape, TableFields } from "../define/fields";
import { codedError } from "../function/coded-error";

/** The parts of zod's definitions that this looks at. Source: zod 4, core/schemas. */
export interface Definition {
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
  in: z.core.$ZodType;
  out: z.core.$ZodType;
  transform?: unknown;
  getter: () => z.core.$ZodType;
}

/** The lazy schemas around a schema, to find out that one refers to itself. */
type Lazies = readonly z.core.$ZodType[];

/**
 * Describes the fields of a schema.
 *
 * @param isOpen whether it may take fields that it does not name, as the change of an event may
 * @throws FIELD_UNUSABLE for a schema that changes values, or whose values no store can keep
 */
export function fieldsOf(schema: z.ZodObject, isOpen = false): Fields {
  if (!isOpen) checkClosed(schema._zod.def as unknown as Definition, "");
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
export function fieldOf(schema: z.core.$ZodType, path: string, lazies: Lazies = []): Field {
  const definition = schema._zod.def as unknown as Definition;
  const described = (kind: Field["kind"], shape: Shape, more: Partial<Field> = {}): Field => ({
    ...{ kind, isOptional: false, isNullable: false, hasDefault: false, digits: null },
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
    case "unknown":
    case "any":
      // Said openly to be anything: all of it is published.
      return described("json", { kind: "any" }, { isNullable: true, isOptional: true });
    case "null":
      return described("text", { kind: "scalar" }, { isNullable: true });
    case "enum":
      return ofValues(Object.values(definition.entries), described);
    case "literal":
      return ofValues(definition.values, described);
    case "optional":
      return { ...fieldOf(definition.innerType, path, lazies), isOptional: true };
    case "nullable":
      return { ...fieldOf(definition.innerType, path, lazies), isNullable: true };
    case "default":
      return { ...fieldOf(definition.innerType, path, lazies), isOptional: false, hasDefault: true };
    case "nonoptional":
      return { ...fieldOf(definition.innerType, path, lazies), isOptional: false };
    case "readonly":
      return fieldOf(definition.innerType, path, lazies);
    case "lazy":
      if (isAnyJson(schema, definition.getter()))
        return described("json", { kind: "any" }, { isNullable: true });
      if (lazies.includes(schema))
        throw unusable(
          path,
          "refers to itself, so its depth has no limit",
          "Nest it as deep as it is needed",
        );
      return fieldOf(definition.getter(), path, [...lazies, schema]);
    case "pipe":
      if (definition.transform !== undefined) throw changing(path);
      fieldOf(definition.in, path, lazies);
      return fieldOf(definition.out, path, lazies);
    case "union":
      return unionField(definition, path, described, lazies);
    default:
      return described("json", structureOf(definition, path, lazies));
  }
}

/** Whether a lazy schema is `z.json()`: any JSON, which zod says as a union that refers to itself. */
function isAnyJson(lazy: z.core.$ZodType, { _zod }: z.core.$ZodType): boolean {
  const { type, options = [] } = _zod.def as unknown as Definition;
  const parts = options.map((option) => option._zod.def as unknown as Definition);
  const isPlain = ({ checks, format, coerce }: Definition) => !checks?.length && !format && !coerce;
  const kinds = parts.map(({ type, element, valueType }) =>
    ["array", "record"].includes(type) && (element ?? valueType) !== lazy ? "other" : type,
  );
  const ofJson = ["string", "number", "boolean", "null", "array", "record"];
  return type === "union" && parts.every(isPlain) && String(kinds.sort()) === String(ofJson.sort());
}

/** Whether a text, or a check of it, has the format of a UUID, which is kept in lower case. */
export function isUuid({ format }: { format?: string }): boolean {
  return format === "uuid" || format === "guid";
}

interface Format {
  format?: string;
  precision?: number | null;
  local?: boolean;
}
type Described = (kind: Field["kind"], shape: Shape, more?: Partial<Field>) => Field;

function textField(formats: Format[], described: Described): Field {
  const text: Shape = { kind: "text" };
  if (formats.some(isUuid)) return described("uuid", text);
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

function unionField(
  { options, discriminator }: Definition,
  path: string,
  described: Described,
  lazies: Lazies,
): Field {
  if (discriminator !== undefined) return described("json", variantsOf(options, discriminator, path, lazies));
  const fields = options.map((option) => fieldOf(option, path, lazies));
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
function structureOf(definition: Definition, path: string, lazies: Lazies): Shape {
  const within = (schema: z.core.$ZodType, name: string) => fieldOf(schema, `${path}.${name}`, lazies).shape;
  switch (definition.type) {
    case "object": {
      checkClosed(definition, path);
      const fields = Object.entries(definition.shape).map(
        ([name, one]) => [name, fieldOf(one, `${path}.${name}`, lazies)] as const,
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
    case "transform":
    case "catch":
    case "prefault":
      throw changing(path);
    default:
      throw unusable(
        path,
        `is of the type ${definition.type}, which JSON and the stores do not keep exactly`,
        "Use a type of docs/fields.md, e.g. z.iso.datetime() for a time",
      );
  }
}

function variantsOf(
  options: readonly z.core.$ZodType[],
  discriminator: string,
  path: string,
  lazies: Lazies,
): Shape {
  const by: Record<string, Shape> = {};
  for (const option of options) {
    const definition = option._zod.def as unknown as Definition;
    const values = definition.type === "object" && option._zod.propValues?.[discriminator];
    if (!values)
      throw unusable(path, "has variants that are not plain objects", "List the objects themselves");
    const shape = structureOf(definition, path, lazies);
    for (const value of values) by[String(value)] = shape;
  }
  return { kind: "variants", discriminator, by };
}

function changing(path: string) {
  const remedy = "Change it in the input of the command";
  return unusable(path, "changes its value (transform, preprocess, catch)", remedy);
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

/** What is wrong with a field, and what to write instead. */
export interface UnusableField {
  problem: string;
  remedy: string;
}

function unusable(path: string, problem: string, remedy: string): Error & UnusableField {
  const what = path ? `The field "${path}"` : "The schema";
  const error = codedError("FIELD_UNUSABLE", `${what} ${problem}. ${remedy}.`);
  const about = path ? `has the field "${path}", which ${problem}` : problem;
  return Object.assign(error, { problem: about, remedy });
}
