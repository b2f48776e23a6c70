import { PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import type * as aws from "@pulumi/aws";
import { codedError } from "../../../runtime/function/coded-error";
import { resourceKind } from "../resource-kind";
import { hexDigits } from "../physical-name";
import { eventBusName } from "./event-bus-name";

const NEVER_FAILS =
  "the emulator delivers each event once and never fails, so it neither retries nor sets aside.";

export const eventTarget = resourceKind<aws.cloudwatch.EventTargetArgs>({
  type: "aws:cloudwatch/eventTarget:EventTarget",
  effective: [
    "arn",
    "rule",
    "eventBusName",
    "targetId",
    "roleArn",
    "input",
    "inputPath",
    "inputTransformer",
    "sqsTarget",
    "forceDestroy",
  ],
  ineffective: { deadLetterConfig: NEVER_FAILS, retryPolicy: NEVER_FAILS },
  identify: (resource) => {
    const { rule, eventBusName: bus, targetId = `terraform-${hexDigits(resource, 26)}` } = resource.inputs;
    const name = eventBusName(bus);
    return {
      id: name === "default" ? `${rule}-${targetId}` : `${name}-${rule}-${targetId}`,
      outputs: { targetId, eventBusName: bus ?? "default" },
    };
  },
  create: async ({ inputs }, { outputs }, { events }) => {
    const { FailedEntries = [] } = await events.send(
      new PutTargetsCommand({
        Rule: inputs.rule,
        EventBusName: eventBusName(inputs.eventBusName),
        Targets: [
          {
            Id: String(outputs["targetId"]),
            Arn: inputs.arn,
            RoleArn: inputs.roleArn,
            Input: inputs.input,
            InputPath: inputs.inputPath,
            InputTransformer: inputs.inputTransformer && {
              InputPathsMap: inputs.inputTransformer.inputPaths,
              InputTemplate: inputs.inputTransformer.inputTemplate,
            },
            SqsParameters: inputs.sqsTarget && { MessageGroupId: inputs.sqsTarget.messageGroupId },
            DeadLetterConfig: inputs.deadLetterConfig && { Arn: inputs.deadLetterConfig.arn },
            RetryPolicy: inputs.retryPolicy && {
              MaximumEventAgeInSeconds: inputs.retryPolicy.maximumEventAgeInSeconds,
              MaximumRetryAttempts: inputs.retryPolicy.maximumRetryAttempts,
            },
          },
        ],
      }),
    );
    const failed = FailedEntries[0];
    // PutTargets answers a refused target with a success.
    if (failed)
      throw codedError(
        failed.ErrorCode ?? "TARGET_REFUSED",
        failed.ErrorMessage ?? "The target was refused.",
      );
  },
});
