import type { Report } from "./fault";

/** The form of one kind of name. */
interface NameRule {
  pattern: RegExp;
  maxLength: number;
  says: string;
}

/**
 * The longest physical name is the role of a subscription's function, "<domain>-on-<subscription>-role-1234567":
 * IAM allows 64 characters, of which 17 are fixed.
 */
const RULES = {
  domain: {
    pattern: /^[a-z][a-z0-9-]*$/,
    maxLength: 20,
    says: "lower case letters, digits and hyphens, starting with a letter",
  },
  subscription: { pattern: /^[a-z][A-Za-z0-9]*$/, maxLength: 24, says: "camelCase letters and digits" },
  table: { pattern: /^[a-z][a-z0-9_]*$/, maxLength: 32, says: "lower case letters, digits and underscores" },
  command: { pattern: /^[a-z][A-Za-z0-9]*$/, maxLength: 64, says: "camelCase letters and digits" },
  aggregate: { pattern: /^[A-Z][A-Za-z0-9]*$/, maxLength: 64, says: "PascalCase letters and digits" },
  event: { pattern: /^[A-Z][A-Za-z0-9]*$/, maxLength: 128, says: "PascalCase letters and digits" },
  // A projection's index is on the attribute "by_<field>", and DynamoDB takes 255 characters.
  index: { pattern: /^[a-zA-Z0-9_.-]{3,}$/, maxLength: 252, says: "3 or more letters, digits, _, . and -" },
  column: { pattern: /^[a-z][a-z0-9_]*$/, maxLength: 63, says: "lower case letters, digits and underscores" },
} satisfies Record<string, NameRule>;

/** The kinds of names that a domain chooses. */
export type NameKind = keyof typeof RULES;

/** The stack's own resources have these names. */
const RESERVED_DOMAINS = ["monolith", "events", "unclaimed"];
/**
 * Suffixes of a domain's own functions. The function of a subscription "relay" of a domain "x" would be named
 * "x-on-relay", as would the relay of a domain "x-on".
 */
const RESERVED_SUBSCRIPTIONS = ["commands", "relay"];

/** Reports a name that AWS or PostgreSQL would refuse. */
export function checkName(kind: NameKind, name: string, report: Report): void {
  const { pattern, maxLength, says } = RULES[kind];
  const thing = `${kind} "${name}"`;
  if (!pattern.test(name)) report(thing, "has a name with characters that cannot be used", `Use ${says}`);
  if (name.length > maxLength) {
    report(
      thing,
      `has a name of ${name.length} characters; the limit is ${maxLength}`,
      "Choose a shorter name",
    );
  }
  const reserved = { domain: RESERVED_DOMAINS, subscription: RESERVED_SUBSCRIPTIONS };
  if ((kind === "domain" || kind === "subscription") && reserved[kind].includes(name)) {
    report(thing, "has a name that the stack reserves", "Choose another name");
  }
}
