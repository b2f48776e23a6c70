import { CreateEventBusCommand } from "@aws-sdk/client-eventbridge";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind, tagList } from "../resource-kind";

const ONLY_STORED = "the emulator stores it and does nothing with it.";

export const eventBus = resourceKind<aws.cloudwatch.EventBusArgs>({
  type: "aws:cloudwatch/eventBus:EventBus",
  naming: { input: "name", limit: 256 },
  effective: ["name", "description", "tags"],
  ineffective: { deadLetterConfig: ONLY_STORED, logConfig: ONLY_STORED, kmsKeyIdentifier: ONLY_STORED },
  identify: ({ physicalName }, scope) => ({
    id: physicalName,
    outputs: { arn: arnOf(scope, "events", `event-bus/${physicalName}`) },
  }),
  create: async ({ physicalName, inputs }, _identified, { events }) => {
    const { EventBusArn } = await events.send(
      new CreateEventBusCommand({
        Name: physicalName,
        Description: inputs.description,
        KmsKeyIdentifier: inputs.kmsKeyIdentifier,
        DeadLetterConfig: inputs.deadLetterConfig && { Arn: inputs.deadLetterConfig.arn },
        LogConfig: inputs.logConfig && {
          IncludeDetail: inputs.logConfig.includeDetail as "NONE" | "FULL" | undefined,
          Level: inputs.logConfig.level as "OFF" | "ERROR" | "INFO" | "TRACE" | undefined,
        },
        Tags: tagList(inputs.tags),
      }),
    );
    return { arn: EventBusArn };
  },
});
