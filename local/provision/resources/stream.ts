import {
  CreateStreamCommand,
  IncreaseStreamRetentionPeriodCommand,
  type StreamMode,
} from "@aws-sdk/client-kinesis";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind } from "../resource-kind";

/** AWS gives a new on-demand stream four shards; the emulator would give it one, and hide what only shards show. */
const ON_DEMAND_SHARDS = 4;
const SHORTEST_RETENTION_HOURS = 24;

export const stream = resourceKind<aws.kinesis.StreamArgs>({
  type: "aws:kinesis/stream:Stream",
  naming: { input: "name", limit: 128 },
  effective: [
    "name",
    "shardCount",
    "streamModeDetails",
    "retentionPeriod",
    "enforceConsumerDeletion",
    "tags",
  ],
  ineffective: {
    encryptionType: "the emulator encrypts nothing.",
    kmsKeyId: "the emulator encrypts nothing.",
    shardLevelMetrics: "the emulator has no metrics of streams.",
  },
  identify: ({ physicalName, inputs }, scope) => {
    const arn = arnOf(scope, "kinesis", `stream/${physicalName}`);
    return { id: arn, outputs: { arn, retentionPeriod: inputs.retentionPeriod ?? SHORTEST_RETENTION_HOURS } };
  },
  create: async ({ physicalName, inputs }, _identified, { kinesis }) => {
    const mode = inputs.streamModeDetails?.streamMode;
    await kinesis.send(
      new CreateStreamCommand({
        StreamName: physicalName,
        ShardCount: mode === "ON_DEMAND" ? ON_DEMAND_SHARDS : inputs.shardCount,
        ...(mode && { StreamModeDetails: { StreamMode: mode as StreamMode } }),
        Tags: inputs.tags,
      }),
    );
    const hours = inputs.retentionPeriod ?? SHORTEST_RETENTION_HOURS;
    if (hours <= SHORTEST_RETENTION_HOURS) return;
    await kinesis.send(
      new IncreaseStreamRetentionPeriodCommand({ StreamName: physicalName, RetentionPeriodHours: hours }),
    );
  },
});
