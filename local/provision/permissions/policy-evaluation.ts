/** A call to be judged by a policy. */
export interface Call {
  action: string;
  /** ARN, or absent where the policy names no resources (a role's trust policy). */
  resource?: string;
  /** Condition keys in lower case, e.g. "aws:sourcearn". A list is a key with several values. */
  context: Readonly<Record<string, string | readonly string[]>>;
}

/** A call that a service makes on the account's behalf, to be judged by a resource's own policy. */
export interface ServiceCall extends Call {
  /** Service principal, e.g. "events.amazonaws.com". */
  service: string;
}

interface Statement {
  Effect?: string;
  Principal?: unknown;
  Action?: unknown;
  Resource?: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/**
 * Whether a resource policy (JSON text) lets a service in: an Allow that applies and no Deny that does. A
 * statement with an element or condition operator that is not known here (NotAction, NumericLessThan ...) does not
 * apply.
 */
export function policyAllows(policy: string, call: ServiceCall): boolean {
  return isAllowed(
    statementsOf(policy).filter(({ Principal }) => namesService(Principal, call.service)),
    call,
  );
}

/** Whether the policies of a role (JSON texts) allow a call, judged in the same way. */
export function roleAllows(policies: readonly string[], call: Call): boolean {
  return isAllowed(policies.flatMap(statementsOf), call);
}

function statementsOf(policy: string): Statement[] {
  const { Statement: statements = [] } = JSON.parse(policy) as { Statement?: Statement | Statement[] };
  return [statements].flat();
}

function isAllowed(statements: readonly Statement[], call: Call): boolean {
  const applying = statements.filter((statement) => applies(statement, call));
  return (
    applying.some(({ Effect }) => Effect === "Allow") && !applying.some(({ Effect }) => Effect === "Deny")
  );
}

function applies({ Action, Resource, Condition = {} }: Statement, call: Call): boolean {
  return (
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

const OPERATOR =
  /^(?:(ForAllValues|ForAnyValue):)?(?:(String|Arn)(Not)?(Equals|Like)(IgnoreCase)?|Bool)(IfExists)?$/;

function holds(operator: string, keys: Record<string, unknown>, context: Call["context"]): boolean {
  return Object.entries(keys).every(([key, expected]) => {
    const actual = context[key.toLowerCase()];
    if (operator === "Null") return (actual === undefined) === (String([expected].flat()[0]) === "true");
    const match = OPERATOR.exec(operator);
    if (!match) return false;
    const [, set, kind, not, comparison, ignoreCase, ifExists] = match;
    if (actual === undefined) {
      return ifExists !== undefined || set === "ForAllValues" || (set === undefined && not !== undefined);
    }
    const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text);
    const isExact = kind === "String" && comparison === "Equals";
    const matches = (value: string) =>
      (isExact
        ? [expected].flat().some((one) => fold(String(one)) === fold(value))
        : matchesAny(expected, fold(value), fold)) ===
      (not === undefined);
    const values = [actual].flat();
    if (set === "ForAllValues") return values.every(matches);
    if (set === "ForAnyValue") return values.some(matches);
    // A key with several values needs one of the two; AWS's result without is not documented.
    return values.length === 1 && values.every(matches);
  });
}

/** Whether a text matches one of the patterns, in which * and ? stand for any characters and any one. */
function matchesAny(patterns: unknown, text: string, fold = (pattern: string) => pattern): boolean {
  return [patterns].flat().some((pattern) => {
    const escaped = fold(String(pattern)).replace(/[.+^${}()|[\]\\]/g, "\\$&");
    return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s").test(text);
  });
}
