import { CreateStreamCommand, IncreaseStreamRetentionPeriodCommand } from "@aws-sdk/client-kinesis";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind } from "../resource-kind";

const SHORTEST_RETENTION_HOURS = 24;
const NOT_ENCRYPTED = "the emulator encrypts nothing.";

export const stream = resourceKind<aws.kinesis.StreamArgs>({
  type: "aws:kinesis/stream:Stream",
  naming: { input: "name", limit: 128 },
  effective: ["shardCount", "streamModeDetails", "retentionPeriod"],
  ineffective: { encryptionType: NOT_ENCRYPTED, kmsKeyId: NOT_ENCRYPTED },
  identify: ({ physicalName, inputs }, scope) => {
    const arn = arnOf(scope, "kinesis", `stream/${physicalName}`);
    return { id: arn, outputs: { arn, retentionPeriod: inputs.retentionPeriod ?? SHORTEST_RETENTION_HOURS } };
  },
  create: async ({ physicalName: StreamName, inputs }, _identified, { kinesis }) => {
    const StreamMode = (inputs.streamModeDetails?.streamMode ?? "PROVISIONED") as "PROVISIONED";
    await kinesis.send(
      new CreateStreamCommand({
        StreamName,
        ShardCount: inputs.shardCount,
        StreamModeDetails: { StreamMode },
      }),
    );
    const RetentionPeriodHours = inputs.retentionPeriod ?? SHORTEST_RETENTION_HOURS;
    if (RetentionPeriodHours > SHORTEST_RETENTION_HOURS)
      await kinesis.send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours }));
  },
});
