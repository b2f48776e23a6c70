import { codedError } from "../../runtime/function/coded-error";
import type { DeployedResource, Deployment } from "./deployment";
import { eventBusName } from "./resources/eventbridge";

/**
 * Checks what AWS enforces and the emulator does not, which would otherwise show only on AWS as events that are
 * lost silently: the policies of queues that rules deliver to (a rule target's dead-letter queue included), the
 * permissions of functions that rules invoke, and that Lambda may assume the functions' roles.
 *
 * @throws `PERMISSION_MISSING` with every finding
 */
export function checkUnenforcedPermissions(deployment: Deployment): void {
  const findings = [
    ...refusedRules(deployment),
    ...refusedInvocations(deployment),
    ...refusedFunctions(deployment),
  ];
  if (findings.length === 0) return;
  throw codedError(
    "PERMISSION_MISSING",
    `The program lacks permissions that the emulator does not check and AWS does: ${findings.join("; ")}.`,
  );
}

function refusedRules(deployment: Deployment): string[] {
  const queues = deployment.byType("aws:sqs/queue:Queue");
  const rules = deployment.byType("aws:cloudwatch/eventRule:EventRule");
  const policies = new Map(queues.map((queue) => [queue.id, textOf(queue.state["policy"])]));
  for (const { state } of deployment.byType("aws:sqs/queuePolicy:QueuePolicy")) {
    policies.set(String(state["queueUrl"]), textOf(state["policy"]));
  }
  return deployment.byType("aws:cloudwatch/eventTarget:EventTarget").flatMap((target) => {
    const rule = rules.find(({ state }) => sameRule(state, target.state));
    if (!rule) return [];
    const ruleArn = String(rule.state["arn"]);
    const deadLetterArn = (target.state["deadLetterConfig"] as { arn?: unknown } | undefined)?.arn;
    const receivers = queues.filter(({ state }) =>
      [target.state["arn"], deadLetterArn].includes(state["arn"]),
    );
    return receivers
      .filter((queue) => !maySend(policies.get(queue.id), ruleArn, String(queue.state["arn"])))
      .map(
        (queue) =>
          `the policy of queue "${queue.name}" does not let rule "${rule.name}" send (sqs:SendMessage)`,
      );
  });
}

function refusedInvocations(deployment: Deployment): string[] {
  const rules = deployment.byType("aws:cloudwatch/eventRule:EventRule");
  const functions = deployment.byType("aws:lambda/function:Function");
  const permissions = deployment.byType("aws:lambda/permission:Permission");
  return deployment.byType("aws:cloudwatch/eventTarget:EventTarget").flatMap((target) => {
    const rule = rules.find(({ state }) => sameRule(state, target.state));
    const lambda = functions.find(({ state }) => state["arn"] === target.state["arn"]);
    if (!rule || !lambda || permissions.some(({ state }) => mayInvoke(state, rule, lambda))) return [];
    return [`function "${lambda.name}" does not let rule "${rule.name}" invoke it (lambda:InvokeFunction)`];
  });
}

function mayInvoke(
  permission: DeployedResource["state"],
  rule: DeployedResource,
  lambda: DeployedResource,
): boolean {
  const { action, principal, sourceArn = rule.state["arn"], function: name } = permission;
  return (
    [lambda.id, lambda.state["arn"]].includes(name as string) &&
    principal === "events.amazonaws.com" &&
    ["lambda:InvokeFunction", "lambda:*"].includes(String(action)) &&
    sourceArn === rule.state["arn"]
  );
}

function refusedFunctions(deployment: Deployment): string[] {
  const roles = deployment.byType("aws:iam/role:Role");
  return deployment.byType("aws:lambda/function:Function").flatMap((lambda) => {
    const role = roles.find(({ state }) => state["arn"] === lambda.state["role"]);
    const trust = textOf(role?.state["assumeRolePolicy"]);
    const call = { service: "lambda.amazonaws.com", action: "sts:AssumeRole", context: {} };
    if (!role || (trust !== undefined && policyAllows(trust, call))) return [];
    return [`role "${role.name}" does not trust Lambda, so function "${lambda.name}" cannot assume it`];
  });
}

function maySend(policy: string | undefined, ruleArn: string, resource: string): boolean {
  if (policy === undefined) return false;
  const [, , , , account = ""] = ruleArn.split(":");
  const context = { "aws:sourcearn": ruleArn, "aws:sourceaccount": account, "aws:securetransport": "true" };
  return policyAllows(policy, {
    service: "events.amazonaws.com",
    action: "sqs:SendMessage",
    resource,
    context,
  });
}

function sameRule(rule: DeployedResource["state"], target: DeployedResource["state"]): boolean {
  const busOf = ({ eventBusName: bus }: Record<string, unknown>) => eventBusName(textOf(bus));
  return rule["name"] === target["rule"] && busOf(rule) === busOf(target);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

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
 * Whether a resource policy (JSON text) lets a service in: an Allow that applies and no Deny that does. A
 * statement with an element or condition operator that is not known here (NotAction, NumericLessThan ...) does not
 * apply.
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
