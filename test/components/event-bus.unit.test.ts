import { expect, test } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { EventBus } from "../../dist/components/event-bus.js";
import { deploy } from "../support/program/mocks";

const deployment = await deploy(() => {
  const bus = new EventBus("events");
  return {
    arn: bus.arn,
    name: bus.name,
    publishing: pulumi.output(bus.publishing(["members", "press"])),
  };
});

test("The bus is a custom bus below its component", () => {
  const component = deployment.one("domain-consistency:components:EventBus", "events");
  expect(deployment.childrenOf(component)).toEqual(["aws:cloudwatch/eventBus:EventBus events"]);
  expect(deployment.one("aws:cloudwatch/eventBus:EventBus", "events").inputs).toEqual({
    description: "Domain events",
  });
});

test("The component has the ARN and the physical name of the bus", () => {
  expect(deployment.outputs).toMatchObject({
    arn: "arn:aws:events:eu-central-1:111122223333:event-bus/events-1234567",
    name: "events-1234567",
  });
});

test("A relay may publish on this bus, and only as the domains that it is for", () => {
  expect(deployment.outputs.publishing).toEqual({
    Sid: "PublishEvents",
    Action: ["events:PutEvents"],
    Resource: "arn:aws:events:eu-central-1:111122223333:event-bus/events-1234567",
    Condition: { "ForAllValues:StringEquals": { "events:source": ["members", "press"] } },
  });
});
