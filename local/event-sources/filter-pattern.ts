import { codedError } from "../../runtime/function/coded-error";

/** True if a value matches a pattern; `undefined` stands for an absent key. */
export type Matcher = (value: unknown) => boolean;

/**
 * Compiles a part of an event filter: an object's keys must all match, and a list matches if any of its rules does. Rules are exact
 * values (string, number, boolean, null) and the operators `exists`, `prefix`, `suffix`, `anything-but`, `numeric` and
 * `equals-ignore-case`; `$or` takes a list of objects. An array in the record matches if any of its elements does. Source: AWS Lambda
 * developer guide, "Control which events Lambda sends to your function", filter rule syntax.
 *
 * @param path where in the pattern this part stands, for messages
 * @throws FILTER_UNSUPPORTED for another operator
 * @throws FILTER_INVALID for what is no pattern
 */
export function compilePattern(pattern: unknown, path: string): Matcher {
  if (Array.isArray(pattern)) return compileRules(pattern, path);
  if (typeof pattern !== "object" || pattern === null)
    throw invalid(path, "must be a list of rules or an object of keys");
  const matchers = Object.entries(pattern).map(([key, part]) => compileKey(key, part, path));
  return (value) => {
    if (Array.isArray(value)) return value.some((element) => matchers.every((matches) => matches(element)));
    // Plain text never matches a JSON pattern, not even one that only asks for absent keys.
    if (value !== undefined && (typeof value !== "object" || value === null)) return false;
    return matchers.every((matches) => matches(value));
  };
}

const NUMERIC_COMPARISONS: Record<string, (value: number, limit: number) => boolean> = {
  "=": (value, limit) => value === limit,
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
};

function compileKey(key: string, part: unknown, path: string): Matcher {
  if (key === "$or") {
    if (!Array.isArray(part)) throw invalid(`${path}.$or`, "must be a list of objects");
    const alternatives = part.map((alternative, index) =>
      compilePattern(alternative, `${path}.$or[${index}]`),
    );
    return (value) => alternatives.some((matches) => matches(value));
  }
  const matches = compilePattern(part, `${path}.${key}`);
  return (value) =>
    matches(
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined,
    );
}

function compileRules(rules: readonly unknown[], path: string): Matcher {
  if (rules.length === 0) throw invalid(path, "must hold at least one rule");
  const matchers = rules.map((rule, index) => compileRule(rule, `${path}[${index}]`));
  return (value) => matchers.some((matches) => matches(value));
}

function compileRule(rule: unknown, path: string): Matcher {
  if (typeof rule !== "object" || rule === null) return anyElement((value) => value === rule);
  const [operator = "", ...more] = Object.keys(rule);
  if (more.length > 0) throw invalid(path, "must have one operator");
  const operand = (rule as Record<string, unknown>)[operator];
  switch (operator) {
    case "exists":
      if (typeof operand !== "boolean") throw invalid(path, 'must be {"exists": true} or {"exists": false}');
      return (value) => (value !== undefined) === operand;
    case "prefix":
      return textRule(operand, path, (value, text) => value.startsWith(text));
    case "suffix":
      return textRule(operand, path, (value, text) => value.endsWith(text));
    case "equals-ignore-case":
      return textRule(operand, path, (value, text) => value.toLowerCase() === text.toLowerCase());
    case "anything-but":
      return anythingBut(operand, path);
    case "numeric":
      return numericRule(operand, path);
    default:
      throw codedError(
        "FILTER_UNSUPPORTED",
        `The event filter uses the operator "${operator}" at "${path}", which the local event sources do not evaluate. Use exact values, exists, prefix, suffix, anything-but, numeric or equals-ignore-case.`,
      );
  }
}

function textRule(operand: unknown, path: string, test: (value: string, text: string) => boolean): Matcher {
  if (typeof operand !== "string") throw invalid(path, "must compare with a text");
  return anyElement((value) => typeof value === "string" && test(value, operand));
}

/** The key must be there: an absent one is not "anything but" a value. */
function anythingBut(operand: unknown, path: string): Matcher {
  const refused: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  if (refused.some((value) => typeof value !== "string" && typeof value !== "number")) {
    throw invalid(path, "must name texts or numbers");
  }
  return anyElement((value) => value !== undefined && !refused.includes(value));
}

function numericRule(operand: unknown, path: string): Matcher {
  const parts: readonly unknown[] = Array.isArray(operand) ? operand : [];
  const tests: ((value: number) => boolean)[] = [];
  for (let index = 0; index < parts.length; index += 2) {
    const compare = NUMERIC_COMPARISONS[String(parts[index])];
    const limit = parts[index + 1];
    if (!compare || typeof limit !== "number")
      throw invalid(path, 'must be like {"numeric": [">", 0, "<=", 5]}');
    tests.push((value) => compare(value, limit));
  }
  if (tests.length === 0) throw invalid(path, 'must be like {"numeric": [">", 0, "<=", 5]}');
  return anyElement((value) => typeof value === "number" && tests.every((test) => test(value)));
}

function anyElement(test: Matcher): Matcher {
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

function invalid(path: string, rule: string) {
  return codedError(
    "FILTER_INVALID",
    `The event filter at "${path}" ${rule}. Correct the pattern in filterCriteria.`,
  );
}
