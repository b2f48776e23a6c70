import type * as aws from "@pulumi/aws";
import { hexDigits } from "../physical-name";
import { arnOf, resourceKind } from "../resource-kind";

export const eventSourceMapping = resourceKind<aws.lambda.EventSourceMappingArgs>({
  type: "aws:lambda/eventSourceMapping:EventSourceMapping",
  replacement:
    "the emulator's own mappings lose records of a batch that fails in part, so the local event sources poll and invoke " +
    "as AWS documents it.",
  // What local/event-sources/mapping-inputs.ts supports; a start fails for any other input.
  effective: [
    "batchSize",
    "bisectBatchOnFunctionError",
    "eventSourceArn",
    "filterCriteria",
    "functionName",
    "functionResponseTypes",
    "maximumRecordAgeInSeconds",
    "maximumRetryAttempts",
    "scalingConfig",
    "startingPosition",
    "tags",
  ],
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
        state: "Enabled",
      },
    };
  },
});

function uuidFrom(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
