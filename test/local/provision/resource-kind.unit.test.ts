import * as aws from "@pulumi/aws";
import { expect, it } from "vitest";
import { planProgram } from "../../../dist/local/provision/plan.js";
import { generatedName } from "../../../dist/local/provision/resource-kind.js";

const identity = { project: "shop", stack: "test", type: "aws:sqs/queue:Queue", name: "orders" };

it("A generated name is the logical name and 7 hex digits, as Pulumi makes them", () => {
  expect(generatedName(identity)).toMatch(/^orders-[0-9a-f]{7}$/);
});

it("The digits stay the same for a resource and differ between stacks, projects, types and names", () => {
  const others = [{ stack: "prod" }, { project: "store" }, { type: "aws:iam/role:Role" }];

  const names = others.map((other) => generatedName({ ...identity, ...other }));

  expect(generatedName({ ...identity })).toBe(generatedName(identity));
  expect(new Set([generatedName(identity), ...names]).size).toBe(4);
});

it("A name that the program gives is left as it is, and a FIFO queue's generated one ends as SQS wants it", async () => {
  const program = () => {
    new aws.sqs.Queue("given", { name: "mine" });
    new aws.sqs.Queue("generated", { fifoQueue: true });
  };

  const { resources } = await planProgram({ program, project: "shop", stack: "test", config: {} });

  expect(resources.map(({ inputs }) => inputs["name"])).toEqual([
    "mine",
    expect.stringMatching(/^generated-[0-9a-f]{7}\.fifo$/),
  ]);
});
