/** A value that a resource declares, at its path: "a.b", "list[]" for an element, "map{}" and "map{key}" for an entry. */
export interface FlatInput {
  path: string;
  value: unknown;
}

/**
 * Lists every value of a resource's inputs: each leaf, and each list as a whole.
 *
 * @param isMap whether the object at a path is a map, whose keys are data, rather than a structure
 */
export function flattenInputs(inputs: object, isMap: (path: string) => boolean): FlatInput[] {
  const found: FlatInput[] = [];
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value)) {
      found.push({ path, value });
      for (const element of value) walk(element, `${path}[]`);
    } else if (typeof value === "object" && value !== null && isPlain(value)) {
      for (const [key, member] of Object.entries(value)) {
        if (isMap(path)) found.push({ path: `${path}{key}`, value: key });
        walk(member, isMap(path) ? `${path}{}` : path === "" ? key : `${path}.${key}`);
      }
    } else if (value !== undefined) found.push({ path, value });
  };
  walk(inputs, "");
  return found;
}

/** Archives and promises of one are leaves. */
function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}
