import { createHash } from "node:crypto";

/**
 * Characters of a replication instance's identifier, the shortest limit of AWS DMS's resources. Source: AWS DMS API
 * reference, CreateReplicationInstance.
 */
const LONGEST = 63;
const HASH_DIGITS = 8;

/**
 * Makes an identifier that AWS DMS accepts for any of its resources: at most 63 lower case letters, digits and single
 * hyphens, starting with a letter. DMS keeps identifiers in lower case, and the dimensions of its metrics must match.
 *
 * @param name any text, e.g. of project, stack and component. If DMS would not take it as it is, the identifier ends
 *   with a hash of it, so that two stacks never share one.
 */
export function dmsIdentifier(name: string): string {
  const accepted = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-$/g, "");
  if (accepted === name && name.length <= LONGEST) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_DIGITS);
  const start = (accepted || "dms").slice(0, LONGEST - HASH_DIGITS - 1).replace(/-$/, "");
  return `${start}-${hash}`;
}
