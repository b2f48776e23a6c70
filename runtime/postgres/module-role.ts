import { createHash } from "node:crypto";

/** PostgreSQL cuts a longer name off, and two modules could get the same one. */
const MOST_CHARACTERS = 63;
const HASH_CHARACTERS = 8;

/**
 * The role of a module: `<database>_module_<module>`; one that is too long ends with a hash instead. Roles belong to
 * the cluster, so the name contains the database's: a role has rights in its own database only.
 */
export function moduleRole(database: string, module: string): string {
  const whole = `${database}_module_${module}`;
  if (whole.length <= MOST_CHARACTERS) return whole;
  const hash = createHash("sha256").update(whole).digest("hex").slice(0, HASH_CHARACTERS);
  return `${whole.slice(0, MOST_CHARACTERS - HASH_CHARACTERS - 1)}_${hash}`;
}
