import { expect, test } from "vitest";
import { describeQuotas, exceededQuotas } from "../../../dist/local/preview/quotas.js";
import { deploymentOf } from "../../../dist/local/provision/deployment.js";

const rules = (bus: string | undefined, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    type: "aws:cloudwatch/eventRule:EventRule",
    name: `${bus}-${index}`,
    urn: `${bus}-${index}`,
    id: "",
    inputs: bus === undefined ? {} : { eventBusName: bus },
    state: {},
  }));
const planOf = (...resources: ReturnType<typeof rules>) => deploymentOf({}, resources, []);

// "Rules: 300 per event bus; af-south-1 and eu-south-1: 100". Source: Amazon EventBridge quotas.
test("300 rules on a bus are within the quota, and 301 are not, whatever other buses have", () => {
  expect(exceededQuotas(planOf(...rules("events", 300), ...rules(undefined, 2)), "eu-central-1")).toEqual([]);
  expect(exceededQuotas(planOf(...rules("events", 301), ...rules("other", 2)), "eu-central-1")).toEqual([
    { of: "rules on the bus events", count: 301, quota: 300 },
  ]);
});

test("Two Regions have a lower quota", () => {
  expect(exceededQuotas(planOf(...rules("events", 100)), "af-south-1")).toEqual([]);
  expect(exceededQuotas(planOf(...rules("events", 101)), "eu-south-1")).toEqual([
    { of: "rules on the bus events", count: 101, quota: 100 },
  ]);
});

test("A quota that is exceeded is told with the remedy; if none is, nothing is said", () => {
  expect(describeQuotas([{ of: "rules on the bus events", count: 301, quota: 300 }])).toBe(
    "There are 301 rules on the bus events, and AWS's default quota is 300: have it raised (Service Quotas) before you deploy.",
  );
  expect(describeQuotas([])).toBe("");
});
