import { expect, test } from "vitest";
import { deploymentOf } from "../../../dist/local/provision/deployment.js";
import { topologyOf } from "../../../dist/local/system/topology.js";

const resource = (type: string, name: string, inputs: Record<string, unknown>) => ({
  type,
  name,
  urn: `urn:${type}:${name}`,
  id: name,
  inputs,
  state: { name: `${name}-1234567` },
});
const rule = (name: string, inputs: Record<string, unknown>) =>
  resource("aws:cloudwatch/eventRule:EventRule", name, inputs);

test("A topology knows subscribers by their rules' patterns; schedules and rules for unclaimed events subscribe to nothing", () => {
  const eventPattern = JSON.stringify({ source: ["customers"], "detail-type": ["CustomerRelocated"] });
  const deployment = deploymentOf(
    {},
    [
      resource("domain-consistency:components:Subscription", "orders-on-customers", {}),
      rule("orders-on-customers-rule", { eventPattern }),
      rule("orders-on-customers-rule-12", {
        eventPattern: JSON.stringify({ source: ["customers"], "detail-type": ["CustomerMerged"] }),
      }),
      rule("unclaimed-of-customers-rule", { eventPattern }),
      rule("monolith-retention-schedule", { scheduleExpression: "rate(1 hour)" }),
    ],
    [],
  );
  const { subscribersOf } = topologyOf(deployment);
  expect(subscribersOf({ source: "customers", type: "CustomerRelocated" })).toEqual(["orders-on-customers"]);
  expect(subscribersOf({ source: "customers", type: "CustomerMerged" })).toEqual(["orders-on-customers"]);
  expect(subscribersOf({ source: "customers", type: "CustomerClosed" })).toEqual([]);
});
