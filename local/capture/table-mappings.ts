import { codedError } from "../../runtime/function/coded-error";

/** What a record's partition key is made of. */
export type PartitionKeyType =
  "schema-table" | "transaction-id" | "primary-key" | "constant" | "attribute-name";

/** How the rows of a table become records. */
export interface ObjectMapping {
  action: "map-record-to-record" | "map-record-to-document";
  /** undefined: DMS's default, which depends on the task's settings. */
  partitionKeyType: PartitionKeyType | undefined;
  /** The attribute of "attribute-name", or the value of "constant". */
  partitionKey: string | undefined;
  excludeColumns: readonly string[];
}

/** A task's table mappings. */
export interface TableMappings {
  /** Whether the selection rules choose the table. */
  selects(schema: string, table: string): boolean;
  /** The object-mapping rule of the table; undefined if it has none. */
  mappingOf(schema: string, table: string): ObjectMapping | undefined;
}

/**
 * Reads a replication task's `tableMappings` and checks it as DMS does. Rules that exist on AWS but that the stand-in does not
 * do (transformations, filters, attribute mappings) are refused rather than left out in silence.
 *
 * @throws CAPTURE_MAPPINGS_INVALID naming the rule
 */
export function parseTableMappings(json: string): TableMappings {
  const rules = rulesIn(json);
  refuseRepeated(rules, "rule-id");
  refuseRepeated(rules, "rule-name");
  const selections = rules.filter((rule) => rule["rule-type"] === "selection").map(selectionOf);
  const mappings = rules.filter((rule) => rule["rule-type"] === "object-mapping").map(mappingRuleOf);
  const unknown = rules.find((rule) => !["selection", "object-mapping"].includes(String(rule["rule-type"])));
  if (unknown) {
    throw invalid(
      unknown,
      `has the rule-type "${String(unknown["rule-type"])}"; the stand-in knows "selection" and "object-mapping"`,
    );
  }
  if (!selections.some(({ include }) => include)) {
    throw codedError(
      "CAPTURE_MAPPINGS_INVALID",
      "The table mappings have no selection rule that includes a table: DMS needs one with the rule-action include",
    );
  }
  return {
    selects: (schema, table) =>
      selections.some((rule) => rule.include && rule.matches(schema, table)) &&
      !selections.some((rule) => !rule.include && rule.matches(schema, table)),
    mappingOf: (schema, table) => mappings.find((rule) => rule.matches(schema, table))?.mapping,
  };
}

type Rule = Record<string, unknown>;

const PARTITION_KEY_TYPES: readonly string[] = [
  "schema-table",
  "transaction-id",
  "primary-key",
  "constant",
  "attribute-name",
] satisfies PartitionKeyType[];
const MAPPING_ACTIONS: readonly string[] = [
  "map-record-to-record",
  "map-record-to-document",
] satisfies ObjectMapping["action"][];

function rulesIn(json: string): Rule[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw codedError(
      "CAPTURE_MAPPINGS_INVALID",
      `The table mappings are not JSON: ${(cause as Error).message}`,
      { cause },
    );
  }
  const rules = (parsed as { rules?: unknown } | null)?.rules;
  if (Array.isArray(rules) && rules.every((rule) => typeof rule === "object" && rule !== null))
    return rules as Rule[];
  throw codedError("CAPTURE_MAPPINGS_INVALID", 'The table mappings must be an object with the array "rules"');
}

function refuseRepeated(rules: Rule[], field: "rule-id" | "rule-name"): void {
  const seen = new Set<string>();
  for (const rule of rules) {
    const value = rule[field];
    if (value === undefined || value === "") throw invalid(rule, `has no ${field}`);
    if (seen.has(String(value)))
      throw invalid(rule, `has the same ${field} as another rule: each needs its own`);
    seen.add(String(value));
  }
}

function selectionOf(rule: Rule): { include: boolean; matches: (schema: string, table: string) => boolean } {
  const action = rule["rule-action"];
  if (action !== "include" && action !== "exclude" && action !== "explicit") {
    throw invalid(
      rule,
      `has the rule-action "${String(action)}"; a selection has include, exclude or explicit`,
    );
  }
  if (Array.isArray(rule["filters"]) && rule["filters"].length > 0) {
    throw invalid(rule, "has filters, which the stand-in does not do");
  }
  return { include: action !== "exclude", matches: matcherOf(rule, action !== "explicit") };
}

function mappingRuleOf(rule: Rule): {
  mapping: ObjectMapping;
  matches: (schema: string, table: string) => boolean;
} {
  const action = rule["rule-action"];
  if (!MAPPING_ACTIONS.includes(String(action))) {
    throw invalid(
      rule,
      `has the rule-action "${String(action)}"; an object mapping has ${MAPPING_ACTIONS.join(" or ")}`,
    );
  }
  const parameters = (rule["mapping-parameters"] ?? {}) as Record<string, unknown>;
  for (const unsupported of ["attribute-mappings"]) {
    if (unsupported in parameters) throw invalid(rule, `has ${unsupported}, which the stand-in does not do`);
  }
  const constant = (parameters["partition-key"] as { value?: unknown } | undefined)?.value;
  const type = parameters["partition-key-type"] ?? (constant === undefined ? undefined : "constant");
  if (type !== undefined && !PARTITION_KEY_TYPES.includes(String(type))) {
    throw invalid(
      rule,
      `has the partition-key-type "${String(type)}"; it must be one of ${PARTITION_KEY_TYPES.join(", ")}`,
    );
  }
  const partitionKey = type === "attribute-name" ? parameters["partition-key-name"] : constant;
  if (type === "attribute-name" && (typeof partitionKey !== "string" || partitionKey === "")) {
    throw invalid(
      rule,
      "has the partition-key-type attribute-name, which needs the attribute's name as partition-key-name",
    );
  }
  if (type === "constant" && (typeof constant !== "string" || constant === "")) {
    throw invalid(rule, 'has the partition-key-type constant, which needs "partition-key": {"value": "..."}');
  }
  const excluded = parameters["exclude-columns"] ?? [];
  if (!Array.isArray(excluded)) throw invalid(rule, "has exclude-columns that are not a list");
  return {
    matches: matcherOf(rule, true),
    mapping: {
      // Both were checked against the lists above.
      action: action as ObjectMapping["action"],
      partitionKeyType: type as PartitionKeyType | undefined,
      partitionKey: typeof partitionKey === "string" ? partitionKey : undefined,
      excludeColumns: excluded.map(String),
    },
  };
}

function matcherOf(rule: Rule, wildcards: boolean): (schema: string, table: string) => boolean {
  const locator = rule["object-locator"] as Record<string, unknown> | undefined;
  const patternOf = (field: string): RegExp => {
    const text = locator?.[field];
    if (typeof text !== "string" || text === "")
      throw invalid(rule, `has an object-locator without ${field}`);
    if (!wildcards && text.includes("%"))
      throw invalid(rule, `is explicit, so its ${field} "${text}" cannot have a wildcard`);
    const literal = text.split("%").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${literal.join(".*")}$`, "s");
  };
  const schemaPattern = patternOf("schema-name");
  const tablePattern = patternOf("table-name");
  return (schema, table) => schemaPattern.test(schema) && tablePattern.test(table);
}

function invalid(rule: Rule, problem: string) {
  return codedError(
    "CAPTURE_MAPPINGS_INVALID",
    `Rule "${String(rule["rule-id"] ?? "")}" (${String(rule["rule-name"] ?? "no name")}) of the table mappings ${problem}`,
  );
}
