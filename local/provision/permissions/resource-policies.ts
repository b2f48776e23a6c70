import type { DeployedResource, Deployment } from "../deployment";
import { eventBusName } from "../resources/eventbridge";
import { policyAllows } from "./policy-evaluation";

/** Queues that rules deliver to (a rule target's dead-letter queue included), and whose policy does not let them. */
export function refusedRules(deployment: Deployment): string[] {
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

/** Functions that rules invoke and that have no permission for it. */
export function refusedInvocations(deployment: Deployment): string[] {
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
