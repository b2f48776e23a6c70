import {
  CreateEventBusCommand,
  PutRuleCommand,
  PutTargetsCommand,
  type RuleState,
} from "@aws-sdk/client-eventbridge";
import type * as aws from "@pulumi/aws";
import { codedError } from "../../../runtime/function/coded-error";
import { arnOf, hexDigits, resourceKind } from "../resource-kind";

const NEVER_FAILS =
  "the emulator delivers each event once and never fails, so it neither retries nor uses a dead-letter queue.";

export const eventBus = resourceKind<aws.cloudwatch.EventBusArgs>({
  type: "aws:cloudwatch/eventBus:EventBus",
  naming: { input: "name", limit: 256 },
  effective: ["description"],
  identify: ({ physicalName }, scope) => ({
    id: physicalName,
    outputs: { arn: arnOf(scope, "events", `event-bus/${physicalName}`) },
  }),
  create: async ({ physicalName, inputs: { description } }, _identified, { events }) => {
    const { EventBusArn } = await events.send(
      new CreateEventBusCommand({ Name: physicalName, Description: description }),
    );
    return { arn: EventBusArn };
  },
});

export const eventRule = resourceKind<aws.cloudwatch.EventRuleArgs>({
  type: "aws:cloudwatch/eventRule:EventRule",
  naming: { input: "name", limit: 64 },
  effective: ["description", "eventBusName", "eventPattern", "scheduleExpression", "state"],
  identify: ({ physicalName, inputs }, scope) => {
    const bus = eventBusName(inputs.eventBusName);
    const name = bus === "default" ? physicalName : `${bus}/${physicalName}`;
    const arn = arnOf(scope, "events", `rule/${name}`);
    return { id: name, outputs: { arn, eventBusName: bus, state: inputs.state ?? "ENABLED" } };
  },
  create: async ({ physicalName, inputs }, _identified, { events }) => {
    const { RuleArn } = await events.send(
      new PutRuleCommand({
        Name: physicalName,
        EventBusName: eventBusName(inputs.eventBusName),
        EventPattern: inputs.eventPattern,
        ScheduleExpression: inputs.scheduleExpression,
        Description: inputs.description,
        // The emulator refuses any other state.
        State: (inputs.state ?? "ENABLED") as RuleState,
      }),
    );
    return { arn: RuleArn };
  },
});

export const eventTarget = resourceKind<aws.cloudwatch.EventTargetArgs>({
  type: "aws:cloudwatch/eventTarget:EventTarget",
  effective: ["arn", "rule", "eventBusName", "targetId"],
  ineffective: { deadLetterConfig: NEVER_FAILS, retryPolicy: NEVER_FAILS },
  identify: (resource) => {
    const { rule, eventBusName: given, targetId = `terraform-${hexDigits(resource, 26)}` } = resource.inputs;
    const bus = eventBusName(given);
    const id = `${rule}-${targetId}`;
    return { id: bus === "default" ? id : `${bus}-${id}`, outputs: { targetId, eventBusName: bus } };
  },
  create: async ({ inputs }, { outputs }, { events }) => {
    const { deadLetterConfig, retryPolicy } = inputs;
    const { FailedEntries = [] } = await events.send(
      new PutTargetsCommand({
        Rule: inputs.rule,
        EventBusName: eventBusName(inputs.eventBusName),
        Targets: [
          {
            Id: String(outputs["targetId"]),
            Arn: inputs.arn,
            DeadLetterConfig: deadLetterConfig && { Arn: deadLetterConfig.arn },
            RetryPolicy: retryPolicy && {
              MaximumEventAgeInSeconds: retryPolicy.maximumEventAgeInSeconds,
              MaximumRetryAttempts: retryPolicy.maximumRetryAttempts,
            },
          },
        ],
      }),
    );
    const [failed] = FailedEntries;
    // PutTargets answers a refused target with a success.
    if (failed)
      throw codedError(
        failed.ErrorCode ?? "TARGET_REFUSED",
        failed.ErrorMessage ?? "The target was refused.",
      );
  },
});

/** The name of a bus that is given by name, by ARN, or not at all. */
export function eventBusName(nameOrArn = "default"): string {
  return nameOrArn.replace(/^.*:event-bus\/(.*\/)?/, "");
}
