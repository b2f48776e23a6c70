import type * as aws from "@pulumi/aws";
import { hexDigits } from "../physical-name";
import { arnOf, resourceKind } from "../resource-kind";

export const eventSourceMapping = resourceKind<aws.lambda.EventSourceMappingArgs>({
  type: "aws:lambda/eventSourceMapping:EventSourceMapping",
  replacement:
    "the emulator's own mappings lose records of a batch that fails in part, so the local event sources poll and invoke " +
    "as AWS documents it.",
  effective: [
    "batchSize",
    "bisectBatchOnFunctionError",
    "destinationConfig",
    "enabled",
    "eventSourceArn",
    "filterCriteria",
    "functionName",
    "functionResponseTypes",
    "maximumBatchingWindowInSeconds",
    "maximumRecordAgeInSeconds",
    "maximumRetryAttempts",
    "parallelizationFactor",
    "scalingConfig",
    "startingPosition",
    "startingPositionTimestamp",
    "tags",
    "tumblingWindowInSeconds",
  ],
  ineffective: {
    kmsKeyArn: "nothing is encrypted in a local run.",
    metricsConfig: "the local event sources record no metrics.",
    provisionedPollerConfig: "the local event sources poll with one poller a shard.",
  },
  identify: (resource, scope) => {
    const { functionName } = resource.inputs;
    const uuid = uuidFrom(hexDigits(resource, 32));
    const functionArn = functionName.startsWith("arn:")
      ? functionName
      : arnOf(scope, "lambda", `function:${functionName}`);
    return {
      id: uuid,
      outputs: {
        uuid,
        functionArn,
        arn: arnOf(scope, "lambda", `event-source-mapping:${uuid}`),
        state: resource.inputs.enabled === false ? "Disabled" : "Enabled",
      },
    };
  },
});

function uuidFrom(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
