import type { Deployment } from "../provision/deployment";

const SUBSCRIPTION_TYPE = "domain-consistency:components:Subscription";
const RULE_TYPE = "aws:cloudwatch/eventRule:EventRule";
const FUNCTION_TYPE = "aws:lambda/function:Function";

/** Who subscribes to what, according to the deployed resources. */
export interface Topology {
  /** Physical function name -> logical name, e.g. "orders-on-customers-1a2b3c4" -> "orders-on-customers". */
  functions: ReadonlyMap<string, string>;
  /** Logical names of the subscriptions, e.g. "orders-on-customers". */
  subscriptions: ReadonlySet<string>;
  /** The subscriptions that receive an event. */
  subscribersOf(event: { source: string; type: string }): string[];
}

/** Reads the topology from the deployed resources. */
export function topologyOf(deployment: Deployment): Topology {
  const subscriptions = new Set(deployment.byType(SUBSCRIPTION_TYPE).map(({ name }) => name));
  // Other rules are schedules, or take what is unclaimed.
  const rules = deployment.byType(RULE_TYPE).flatMap(({ name, inputs }) => {
    const subscription = name.replace(/-rule(-\d+)?$/, "");
    if (!subscriptions.has(subscription) || inputs["eventPattern"] === undefined) return [];
    const pattern = JSON.parse(String(inputs["eventPattern"])) as {
      source: string[];
      "detail-type": string[];
    };
    return [{ subscription, pattern }];
  });
  return {
    functions: new Map(
      deployment.byType(FUNCTION_TYPE).map(({ name, state }) => [String(state["name"]), name]),
    ),
    subscriptions,
    subscribersOf: ({ source, type }) =>
      rules
        .filter(({ pattern }) => pattern.source.includes(source) && pattern["detail-type"].includes(type))
        .map(({ subscription }) => subscription),
  };
}
