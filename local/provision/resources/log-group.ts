import {
  CreateLogGroupCommand,
  PutRetentionPolicyCommand,
  type LogGroupClass,
} from "@aws-sdk/client-cloudwatch-logs";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind } from "../resource-kind";

export const logGroup = resourceKind<aws.cloudwatch.LogGroupArgs>({
  type: "aws:cloudwatch/logGroup:LogGroup",
  naming: { input: "name", limit: 512 },
  effective: ["name", "logGroupClass", "skipDestroy", "tags"],
  ineffective: {
    deletionProtectionEnabled: "nothing of a local run is kept.",
    kmsKeyId: "the emulator encrypts nothing.",
    retentionInDays: "the emulator keeps log lines as long as it runs.",
  },
  identify: ({ physicalName }, scope) => ({
    id: physicalName,
    outputs: { arn: arnOf(scope, "logs", `log-group:${physicalName}`) },
  }),
  create: async ({ physicalName, inputs }, _identified, { logs }) => {
    await logs.send(
      new CreateLogGroupCommand({
        logGroupName: physicalName,
        logGroupClass: inputs.logGroupClass as LogGroupClass | undefined,
        tags: inputs.tags,
      }),
    );
    if (!inputs.retentionInDays) return;
    await logs.send(
      new PutRetentionPolicyCommand({ logGroupName: physicalName, retentionInDays: inputs.retentionInDays }),
    );
  },
});
