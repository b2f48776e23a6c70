/** A call that a service makes on the account's behalf, to be judged by a resource's own policy. */
export interface ServiceCall {
  /** Service principal, e.g. "events.amazonaws.com". */
  service: string;
  action: string;
  /** ARN, or absent where the policy names no resources (a role's trust policy). */
  resource?: string;
  /** Condition keys in lower case, e.g. "aws:sourcearn". */
  context: Readonly<Record<string, string>>;
}

interface Statement {
  Effect?: string;
  Principal?: unknown;
  Action?: unknown;
  Resource?: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

const TEXT_OPERATOR = /^(?:String|Arn)(Not)?(?:Equals|Like)(IgnoreCase)?(IfExists)?$/;

/**
 * Whether a resource policy (JSON text) lets a service in: an Allow that applies and no Deny that does. A statement with
 * an element or condition operator that is not known here (NotAction, NumericLessThan ...) does not apply.
 */
export function policyAllows(policy: string, call: ServiceCall): boolean {
  const { Statement: statements = [] } = JSON.parse(policy) as { Statement?: Statement | Statement[] };
  const applying = [statements].flat().filter((statement) => applies(statement, call));
  return (
    applying.some(({ Effect }) => Effect === "Allow") && !applying.some(({ Effect }) => Effect === "Deny")
  );
}

function applies({ Principal, Action, Resource, Condition = {} }: Statement, call: ServiceCall): boolean {
  return (
    namesService(Principal, call.service) &&
    matchesAny(Action, call.action.toLowerCase(), (pattern) => pattern.toLowerCase()) &&
    (call.resource === undefined || matchesAny(Resource, call.resource)) &&
    Object.entries(Condition).every(([operator, keys]) => holds(operator, keys, call.context))
  );
}

function namesService(principal: unknown, service: string): boolean {
  if (principal === "*") return true;
  if (typeof principal !== "object" || principal === null) return false;
  const { Service, AWS } = principal as { Service?: unknown; AWS?: unknown };
  return [Service].flat().includes(service) || [AWS].flat().includes("*");
}

function holds(operator: string, keys: Record<string, unknown>, context: ServiceCall["context"]): boolean {
  const match = operator === "Bool" ? ["Bool"] : TEXT_OPERATOR.exec(operator);
  if (!match) return false;
  const [, not, ignoreCase, ifExists] = match;
  return Object.entries(keys).every(([key, expected]) => {
    const actual = context[key.toLowerCase()];
    if (actual === undefined) return not !== undefined || ifExists !== undefined;
    const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text);
    return matchesAny(expected, fold(actual), fold) === (not === undefined);
  });
}

/** Whether a text matches one of the patterns, in which * and ? stand for any characters and any one. */
function matchesAny(patterns: unknown, text: string, fold = (pattern: string) => pattern): boolean {
  return [patterns].flat().some((pattern) => {
    const escaped = fold(String(pattern)).replace(/[.+^${}()|[\]\\]/g, "\\$&");
    return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s").test(text);
  });
}
