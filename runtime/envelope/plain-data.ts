/** Why data cannot go wherever events go, and where in it. */
export interface DataFault {
  path: (string | number)[];
  message: string;
}

/** Levels that a change or a state may be nested: one less than an item of DynamoDB, so that a projection can keep it in a field. */
export const MAX_LEVELS = 31;

/** The smallest number above 0 that DynamoDB holds. Source: Amazon DynamoDB, data types. */
const MIN_NUMBER = 1e-130;

/**
 * Finds what would be altered or refused somewhere on the way of an event: data is kept as jsonb and as items of DynamoDB, and
 * travels as JSON in UTF-8. So it is texts without NUL and without half surrogate pairs, numbers that a double holds exactly, booleans,
 * null, lists and plain objects, not nested too deeply; and no key of an object is one that JavaScript gives a meaning of its own.
 *
 * @param levels that it may be nested; the outermost object or list is one
 * @returns the first fault; undefined when there is none
 */
export function dataFault(data: unknown, levels = MAX_LEVELS): DataFault | undefined {
  switch (typeof data) {
    case "string":
      return isText(data) ? undefined : fault("holds a NUL character or half of a surrogate pair");
    case "number":
      return isNumber(data) ? undefined : fault(`is the number ${data}, which not every store holds`);
    case "object":
      return data === null ? undefined : faultWithin(data, levels);
    case "boolean":
    case "undefined":
      return undefined;
    default:
      return fault(`is a ${typeof data}, which JSON does not have`);
  }
}

/** Whether a text is the same in UTF-8, and can be stored in PostgreSQL. */
export function isText(text: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(text);
}

/** Goes as deep as is allowed and no deeper, so that no input overflows the stack. */
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
      : fault("is a key with a NUL character or half a pair");
    if (found) return { ...found, path: [key, ...found.path] };
  }
  return undefined;
}

function fault(message: string): DataFault {
  return { path: [], message };
}

/** -0 is left to become 0. */
function isNumber(number: number): boolean {
  const size = Math.abs(number);
  return size <= Number.MAX_SAFE_INTEGER && (size === 0 || size >= MIN_NUMBER);
}

function isPlain(data: object): boolean {
  const prototype = Object.getPrototypeOf(data) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
