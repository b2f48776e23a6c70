import { createHash } from "node:crypto";
import { codedError } from "../../runtime/function/coded-error";

/** Characters of a rule's pattern. Source: Amazon EventBridge quotas; the API itself accepts 4,096. */
export const LONGEST_PATTERN = 2_048;
/** So many rules' ARNs still fit into the policy of a queue; a power of two. */
const MOST_RULES = 32;

/** The pattern of one of a subscription's rules. */
export interface NumberedPattern {
  /** From 1 on. A number whose pattern would match nothing is left out. */
  number: number;
  pattern: string;
}

/**
 * The patterns of the rules that take these events, each within EventBridge's limit: one, if the types fit into it,
 * and otherwise as many as a power of two.
 *
 * A type's hash decides which pattern has it. So a type that is added or removed leaves the other ones where they
 * are, unless the number of patterns doubles or halves; then types move between patterns 1..n and n+1..2n.
 *
 * @param owner names the subscription in errors
 * @throws EVENT_TYPES_TOO_MANY
 */
export function eventPatterns(
  owner: string,
  source: string,
  eventTypes: readonly string[],
): NumberedPattern[] {
  const types = [...eventTypes].sort();
  for (let count = 1; count <= MOST_RULES; count *= 2) {
    const shares = Array.from({ length: count }, (_, index) =>
      types.filter((type) => hashOf(type) % count === index),
    );
    const patterns = shares.flatMap((share, index) =>
      share.length > 0 ? [{ number: index + 1, pattern: patternOf(source, share) }] : [],
    );
    if (patterns.every(({ pattern }) => pattern.length <= LONGEST_PATTERN)) return patterns;
  }
  throw codedError(
    "EVENT_TYPES_TOO_MANY",
    `The ${types.length} event types of ${owner} do not fit into ${MOST_RULES} rules with patterns of ${LONGEST_PATTERN} characters. ` +
      "Give the types shorter names, or split the aggregate.",
  );
}

function patternOf(source: string, eventTypes: readonly string[]): string {
  return JSON.stringify({
    source: [source],
    "detail-type": eventTypes,
    // Replayed events carry "replay-name"; only a rule that is made for the replay delivers them.
    "replay-name": [{ exists: false }],
  });
}

function hashOf(type: string): number {
  return createHash("sha256").update(type).digest().readUInt32BE();
}
