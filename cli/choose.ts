import { codedError } from "../runtime/function/coded-error";

/**
 * Picks what the user names.
 *
 * @param kind what it is, e.g. `domain`
 * @throws NAME_UNKNOWN with all the names there are
 */
export function choose<T>(kind: string, name: string, from: Record<string, T>): T {
  const found = Object.hasOwn(from, name) ? from[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(from).sort().join(", ") || "none";
  throw codedError("NAME_UNKNOWN", `There is no ${kind} "${name}". There are: ${names}.`);
}
