import { PutRuleCommand, type RuleState } from "@aws-sdk/client-eventbridge";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind, tagList } from "../resource-kind";
import { eventBusName } from "./event-bus-name";

export const eventRule = resourceKind<aws.cloudwatch.EventRuleArgs>({
  type: "aws:cloudwatch/eventRule:EventRule",
  naming: { input: "name", limit: 64 },
  effective: [
    "name",
    "description",
    "eventBusName",
    "eventPattern",
    "forceDestroy",
    "isEnabled",
    "roleArn",
    "scheduleExpression",
    "state",
    "tags",
  ],
  identify: ({ physicalName, inputs }, scope) => {
    const bus = eventBusName(inputs.eventBusName);
    return {
      id: bus === "default" ? physicalName : `${bus}/${physicalName}`,
      outputs: {
        arn: arnOf(
          scope,
          "events",
          bus === "default" ? `rule/${physicalName}` : `rule/${bus}/${physicalName}`,
        ),
        eventBusName: inputs.eventBusName ?? "default",
        state: stateOf(inputs),
      },
    };
  },
  create: async ({ physicalName, inputs }, _identified, { events }) => {
    const { RuleArn } = await events.send(
      new PutRuleCommand({
        Name: physicalName,
        EventBusName: eventBusName(inputs.eventBusName),
        EventPattern: inputs.eventPattern,
        ScheduleExpression: inputs.scheduleExpression,
        Description: inputs.description,
        RoleArn: inputs.roleArn,
        State: stateOf(inputs),
        Tags: tagList(inputs.tags),
      }),
    );
    return { arn: RuleArn };
  },
});

function stateOf(inputs: { state?: string | undefined; isEnabled?: boolean | undefined }): RuleState {
  // The emulator answers any other state with an error of its own.
  if (inputs.state !== undefined) return inputs.state as RuleState;
  return inputs.isEnabled === false ? "DISABLED" : "ENABLED";
}
