import { createHash } from "node:crypto";
import { codedError } from "../../runtime/function/coded-error";

const SUFFIX_DIGITS = 7;

/** What the digits of a generated name or id are derived from, so that a second run of the same stack makes the same. */
export interface ResourceIdentity {
  project: string;
  stack: string;
  type: string;
  name: string;
}

/**
 * The name that Pulumi would generate: the logical name, "-" and 7 hex digits. On AWS the digits are random; here they
 * depend on project, stack, type and logical name.
 *
 * @param ending what the name has to end with, e.g. ".fifo"
 */
export function generatedName(identity: ResourceIdentity, ending = ""): string {
  return `${identity.name}-${hexDigits(identity, SUFFIX_DIGITS)}${ending}`;
}

/** The first hex digits of the hash of a resource's identity. */
export function hexDigits({ project, stack, type, name }: ResourceIdentity, count: number): string {
  return createHash("sha256").update([project, stack, type, name].join("\n")).digest("hex").slice(0, count);
}

/**
 * Refuses a physical name that AWS would refuse for its length.
 *
 * @throws `PHYSICAL_NAME_TOO_LONG`
 */
export function checkNameLength(physicalName: string, limit: number, { type, name }: ResourceIdentity): void {
  if (physicalName.length <= limit) return;
  throw codedError(
    "PHYSICAL_NAME_TOO_LONG",
    `The name of ${type} "${name}" is too long: "${physicalName}" has ${physicalName.length} characters and AWS allows ` +
      `${limit}. Shorten the logical name (generated names add ${SUFFIX_DIGITS + 1} characters) or set the name yourself.`,
  );
}
