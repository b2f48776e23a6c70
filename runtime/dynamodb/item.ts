import { dataFault, placeOf } from "../envelope/portable-data";
import { codedError } from "../function/coded-error";

/** Maximum bytes of an item, attribute names included. Source: Amazon DynamoDB quotas. */
export const MAX_ITEM_BYTES = 400 * 1024;
/** Maximum bytes of all items of one transaction. Source: Amazon DynamoDB quotas. */
export const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;

/** Maximum nesting: the item itself, and 32 levels in an attribute. Source: Amazon DynamoDB quotas. */
const MAX_ITEM_LEVELS = 33;

/**
 * Bytes of a list or map beside its contents, and of each element in it. Source: Amazon DynamoDB, item sizes.
 */
const CONTAINER_BYTES = 3;
const ELEMENT_BYTES = 1;

/** Maximum bytes of an index's key. Source: Amazon DynamoDB quotas. */
const MAX_INDEX_KEY_BYTES = 2_048;

/** The rule for an index's key, for messages. */
export const INDEX_KEY_RULE = `a text of 1 to ${MAX_INDEX_KEY_BYTES} bytes`;

/** Whether a value can be an index's key. */
export function isIndexKey(value: unknown): value is string {
  return typeof value === "string" && value !== "" && Buffer.byteLength(value) <= MAX_INDEX_KEY_BYTES;
}

/**
 * Measures an item as DynamoDB does, and refuses what DynamoDB would refuse.
 *
 * @param what names the item, for messages
 * @returns its size in bytes
 * @throws INVALID_ITEM, ITEM_TOO_LARGE
 */
export function checkedItemBytes(what: string, item: Record<string, unknown>): number {
  const fault = dataFault(item, MAX_ITEM_LEVELS);
  if (fault) {
    throw codedError(
      "INVALID_ITEM",
      `${what} cannot be kept in DynamoDB: ${placeOf(fault)} ${fault.message}. Nothing was written.`,
    );
  }
  const bytes = entriesBytes(item);
  if (bytes <= MAX_ITEM_BYTES) return bytes;
  throw codedError(
    "ITEM_TOO_LARGE",
    `${what} has ${bytes} bytes; an item of DynamoDB may have ${MAX_ITEM_BYTES}. Nothing was written. Keep large content elsewhere and a reference to it here.`,
  );
}

/** The size of a value; the size of a number is rounded up. */
function itemBytes(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return numberBytes(value);
  if (typeof value !== "object" || value === null) return 1;
  const bytes = Array.isArray(value)
    ? value.reduce((sum: number, one) => sum + ELEMENT_BYTES + itemBytes(one), 0)
    : entriesBytes(value) + ELEMENT_BYTES * Object.keys(value).length;
  return CONTAINER_BYTES + bytes;
}

/** The size of attributes, names and values; undefined ones are not written. */
function entriesBytes(item: object): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => (value === undefined ? sum : sum + Buffer.byteLength(name) + itemBytes(value)),
    0,
  );
}

/** One byte per two digits, one more, and one for a minus sign. */
function numberBytes(value: number): number {
  const digits = String(value).replace(/^-|\.|e.*$/g, "").length;
  return Math.ceil(digits / 2) + 1 + (value < 0 ? 1 : 0);
}
