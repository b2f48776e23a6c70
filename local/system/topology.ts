import type { Deployment } from "../provision/deployment";

const SUBSCRIPTION_TYPE = "domain-consistency:components:Subscription";
const RULE_TYPE = "aws:cloudwatch/eventRule:EventRule";
const FUNCTION_TYPE = "aws:lambda/function:Function";

/** What the deployed program says of who subscribes to what. */
export interface Topology {
  /** Physical function name -> logical name, e.g. "orders-on-customers-1a2b3c4" -> "orders-on-customers". */
  functions: ReadonlyMap<string, string>;
  /** Logical names of the subscriptions, e.g. "orders-on-customers". */
  subscriptions: ReadonlySet<string>;
  /** The subscriptions that an event goes to. */
  subscribersOf(event: { source: string; type: string }): string[];
}

/** Reads the topology off what was deployed. */
export function topologyOf(deployment: Deployment): Topology {
  const subscriptions = new Set(deployment.byType(SUBSCRIPTION_TYPE).map(({ name }) => name));
  // A schedule has no pattern, and no subscription.
  const patterned = deployment.byType(RULE_TYPE).filter(({ inputs }) => inputs["eventPattern"] !== undefined);
  const rules = patterned.map(({ name, inputs }) => ({
    subscription: name.replace(/-rule$/, ""),
    pattern: JSON.parse(String(inputs["eventPattern"])) as { source: string[]; "detail-type": string[] },
  }));
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
