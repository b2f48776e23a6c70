import { codedError } from "../function/coded-error";
import { dataFault } from "../envelope/plain-data";

/** Bytes that an item may have, names of attributes included. Source: Amazon DynamoDB quotas. */
export const MAX_ITEM_BYTES = 400 * 1024;
/** Bytes that the items of one transaction may have together. Source: Amazon DynamoDB quotas. */
export const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;

/** The item itself, and 32 levels in an attribute. Source: Amazon DynamoDB quotas. */
const MAX_ITEM_LEVELS = 33;

/** What a list or map takes beside its contents, and each thing in it. Source: Amazon DynamoDB, item sizes. */
const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

/** Bytes of an index's key. Source: Amazon DynamoDB quotas. */
const MAX_INDEX_KEY_BYTES = 2_048;

/** What an index's key must be, for messages. */
export const INDEX_KEY_RULE = `a text of 1 to ${MAX_INDEX_KEY_BYTES} bytes`;

/** Whether an index can have the value as its key. */
export function isIndexKey(value: unknown): value is string {
  return typeof value === "string" && value !== "" && Buffer.byteLength(value) <= MAX_INDEX_KEY_BYTES;
}

/**
 * Measures an item as DynamoDB does, and refuses what it would refuse.
 *
 * @param what is written, for messages
 * @returns its bytes
 * @throws INVALID_ITEM, ITEM_TOO_LARGE
 */
export function checkedItemBytes(what: string, item: Record<string, unknown>): number {
  const fault = dataFault(item, MAX_ITEM_LEVELS);
  if (fault) {
    throw codedError(
      "INVALID_ITEM",
      `${what} cannot be kept in DynamoDB: "${fault.path.join(".")}" ${fault.message}. Nothing was written.`,
    );
  }
  const bytes = entriesBytes(item);
  if (bytes <= MAX_ITEM_BYTES) return bytes;
  throw codedError(
    "ITEM_TOO_LARGE",
    `${what} has ${bytes} bytes; an item of DynamoDB may have ${MAX_ITEM_BYTES}. Nothing was written. Keep large content elsewhere and a reference to it here.`,
  );
}

/** The size of a value; numbers are estimated upwards. */
function itemBytes(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return numberBytes(value);
  if (typeof value !== "object" || value === null) return 1;
  const bytes = Array.isArray(value)
    ? value.reduce((sum: number, one) => sum + ELEMENT_BYTES + itemBytes(one), 0)
    : entriesBytes(value) + ELEMENT_BYTES * Object.keys(value).length;
  return CONTAINER_BYTES + bytes;
}

/** An attribute is its name and its value; one that is undefined is not written. */
function entriesBytes(item: object): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => (value === undefined ? sum : sum + Buffer.byteLength(name) + itemBytes(value)),
    0,
  );
}

/** One byte for two digits, one beside them, one for a sign. */
function numberBytes(value: number): number {
  const digits = String(value).replace(/^-|\.|e.*$/g, "").length;
  return Math.ceil(digits / 2) + 1 + (value < 0 ? 1 : 0);
}
