import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Declared } from "../program/mocks";
import { physicalName } from "../program/provider-rules";
import { DOCUMENTED, type Documented } from "./documented";
import { flattenInputs } from "./flatten-inputs";

/** What an API model says of a member. */
export interface Shape {
  type: string;
  min?: number;
  max?: number;
  pattern?: string;
  enum?: string[];
  /** What the API reference says of limits that the model does not. */
  documentation?: string;
}

const read = (name: string) => JSON.parse(readFileSync(join(__dirname, name), "utf8")) as unknown;

/** Pulumi type -> input -> API member, or "provider: <what it is for>". */
export const INPUTS = read("inputs.json") as Record<string, Record<string, string>>;
/** The extract of botocore's service models; extract.py makes it. */
export const API = read("shapes.json") as {
  source: string;
  required: Record<string, string[]>;
  shapes: Record<string, Shape>;
};

/** Required members that the provider fills in, from other inputs or by itself. */
const FILLED_BY_PROVIDER = [
  "dynamodb.UpdateContinuousBackups.TableName",
  "dynamodb.UpdateTimeToLive.TableName",
  "lambda.AddPermission.StatementId",
  "lambda.CreateFunction.Code",
  "logs.PutRetentionPolicy.logGroupName",
];

/**
 * Holds every input of a declared resource against AWS's API: its members, their types, enumerations, patterns,
 * lengths and ranges, as botocore's models and AWS's documents have them.
 *
 * @returns one line per fault, also for an input that inputs.json does not map
 */
export function apiFaults(resource: Declared): string[] {
  const mapping = INPUTS[resource.type];
  if (!mapping) return [`${resource.type} "${resource.name}": inputs.json does not have this type; add it`];
  const isMap = (path: string) => `${path}{}` in mapping;
  const name = "name" in mapping ? { name: physicalName(resource) } : {};
  const used = new Set<string>();
  const faults = flattenInputs({ ...resource.inputs, ...name }, isMap).flatMap(({ path, value }) => {
    const member = memberOf(mapping, path);
    if (member === undefined)
      return [`${path} is not in inputs.json: map it to the API member that it becomes, and run extract.py`];
    if (member.startsWith("provider:")) return [];
    used.add(member);
    return valueFaults(member, value).map((fault) => `${path} ${fault} (${member})`);
  });
  return [...faults, ...missingMembers(used)].map((fault) => `${resource.type} "${resource.name}": ${fault}`);
}

/** The API member of an input; that of a list follows from its elements'. */
function memberOf(mapping: Record<string, string>, path: string): string | undefined {
  if (mapping[path] !== undefined) return mapping[path];
  const element = Object.keys(mapping).find((known) => known.startsWith(`${path}[]`));
  if (element === undefined) return undefined;
  const lists = path.split("[]").length;
  return mapping[element]?.split("[]").slice(0, lists).join("[]");
}

function valueFaults(member: string, value: unknown): string[] {
  const shape = API.shapes[member];
  if (!shape) return ["is mapped to a member that shapes.json does not have: run extract.py"];
  const documented = DOCUMENTED[member];
  return [
    ...typeFaults(member, shape, value),
    ...limitFaults(shape, value),
    ...(documented ? documentedFaults(documented, value) : []),
    ...(/Arn$/.test(member) && !isArn(value) ? [`is ${quoted(value)}, which is not an ARN`] : []),
  ];
}

const TYPES: Record<string, (value: unknown) => boolean> = {
  boolean: (value) => typeof value === "boolean",
  integer: Number.isInteger,
  double: (value) => typeof value === "number",
  string: (value) => typeof value === "string",
  list: Array.isArray,
};

function typeFaults(member: string, { type }: Shape, value: unknown): string[] {
  // The provider writes a queue's attributes as texts.
  const fits = member.endsWith("}") ? typeof value !== "object" : TYPES[type]?.(value);
  return fits ? [] : [`is ${quoted(value)}, not of type ${type}`];
}

function limitFaults(shape: Shape, value: unknown): string[] {
  const pattern = shape.pattern === undefined ? undefined : wholeText(shape.pattern);
  return [
    ...rangeFaults(shape, value),
    ...(shape.enum && !shape.enum.includes(String(value))
      ? [`is ${quoted(value)}, not one of ${shape.enum.join(", ")}`]
      : []),
    ...(pattern && !pattern.test(String(value))
      ? [`is ${quoted(value)}, which ${pattern.source} refuses`]
      : []),
  ];
}

function documentedFaults(documented: Documented, value: unknown): string[] {
  const { values, pattern, json } = documented;
  return [
    ...rangeFaults(documented, value),
    ...(values && !values.includes(value as string)
      ? [`is ${quoted(value)}, not one of ${values.join(", ")}`]
      : []),
    ...(pattern && !pattern.test(String(value))
      ? [`is ${quoted(value)}, which ${pattern.source} refuses`]
      : []),
    ...(json && !isJson(value) ? [`is ${quoted(value)}, which is not JSON`] : []),
  ];
}

/** Characters of a text, elements of a list, or the number itself. */
function rangeFaults(
  { min = -Infinity, max = Infinity }: { min?: number; max?: number },
  value: unknown,
): string[] {
  // The provider leaves out what is an empty list.
  if (Array.isArray(value) && value.length === 0) return [];
  const size = typeof value === "number" ? value : ((value as { length?: number }).length ?? min);
  const unit = typeof value === "number" ? "" : Array.isArray(value) ? " elements" : " characters";
  return [
    ...(size < min ? [`has ${size}${unit}; the least is ${min}`] : []),
    ...(size > max ? [`has ${size}${unit}; the limit is ${max}`] : []),
  ];
}

function missingMembers(used: ReadonlySet<string>): string[] {
  const operations = new Set([...used].map((member) => member.split(".").slice(0, 2).join(".")));
  const reached = (required: string) =>
    FILLED_BY_PROVIDER.includes(required) ||
    [...used].some(
      (member) => member.startsWith(required) && /^(?:$|[.[{])/.test(member.slice(required.length)),
    );
  return [...operations].flatMap((operation) =>
    (API.required[operation] ?? [])
      .map((required) => `${operation}.${required}`)
      .filter((required) => !reached(required))
      .map((required) => `no input becomes ${required}, which the API requires`),
  );
}

/** A pattern of a model describes the whole text. */
export function wholeText(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, /\\[pP]\{/.test(pattern) ? "u" : "");
}

function isArn(value: unknown): boolean {
  return /^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(?:\d{12})?:.+$/.test(String(value));
}

function isJson(value: unknown): boolean {
  try {
    return typeof JSON.parse(String(value)) === "object";
  } catch {
    return false;
  }
}

function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : String(JSON.stringify(value));
  return `"${text.length > 100 ? `${text.slice(0, 100)}...` : text}"`;
}
