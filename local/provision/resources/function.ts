import {
  CreateFunctionCommand,
  PutFunctionConcurrencyCommand,
  waitUntilFunctionActiveV2,
  type Architecture,
  type LoggingConfig,
  type Runtime,
  type TracingMode,
} from "@aws-sdk/client-lambda";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind } from "../resource-kind";
import { packageHash } from "../package-zip";

const LONGEST_WAIT_SECONDS = 30;
const POLL_SECONDS = 0.05;
const NOT_TRACED = "the emulator records no traces.";

const DEFAULTS = {
  memorySize: 128,
  timeout: 3,
  packageType: "Zip",
  architectures: ["x86_64"],
  publish: false,
};
const LATEST = "$LATEST";

export const lambdaFunction = resourceKind<aws.lambda.FunctionArgs>({
  type: "aws:lambda/function:Function",
  naming: { input: "name", limit: 64 },
  effective: [
    "name",
    "code",
    "description",
    "environment",
    "handler",
    "loggingConfig",
    "packageType",
    "publish",
    "reservedConcurrentExecutions",
    "role",
    "runtime",
    "skipDestroy",
    "sourceCodeHash",
    "tags",
    "timeout",
  ],
  ineffective: {
    architectures: "functions run on this machine's processor.",
    memorySize: "functions are told the size and not held to it.",
    ephemeralStorage: "functions write to this machine's disk.",
    vpcConfig: "functions run in this machine's network.",
    tracingConfig: NOT_TRACED,
    kmsKeyArn: "the emulator encrypts nothing.",
    deadLetterConfig:
      "the emulator stores it; the event sources of the local run use their own destinations.",
  },
  identify: async ({ physicalName, inputs }, scope) => {
    const arn = arnOf(scope, "lambda", `function:${physicalName}`);
    const path = `2015-03-31/functions/${arn}/invocations`;
    const zip = await scope.zip(inputs.code);
    return {
      id: physicalName,
      package: zip,
      defaults: DEFAULTS,
      outputs: {
        arn,
        version: LATEST,
        invokeArn: `arn:aws:apigateway:${scope.region}:lambda:path/${path}`,
        qualifiedArn: `${arn}:${LATEST}`,
        sourceCodeSize: zip.length,
        sourceCodeHash: inputs.sourceCodeHash ?? packageHash(zip),
      },
    };
  },
  create: async ({ physicalName: FunctionName, inputs }, identified, { lambda }) => {
    const created = await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Code: { ZipFile: identified.package },
        Role: inputs.role,
        Handler: inputs.handler,
        Runtime: inputs.runtime as Runtime | undefined,
        Timeout: inputs.timeout,
        MemorySize: inputs.memorySize,
        Environment: inputs.environment && { Variables: inputs.environment.variables },
        Architectures: inputs.architectures as Architecture[] | undefined,
        LoggingConfig: inputs.loggingConfig && loggingConfig(inputs.loggingConfig),
        TracingConfig: inputs.tracingConfig && { Mode: inputs.tracingConfig.mode as TracingMode },
        EphemeralStorage: inputs.ephemeralStorage && { Size: inputs.ephemeralStorage.size ?? 512 },
        DeadLetterConfig: inputs.deadLetterConfig && { TargetArn: inputs.deadLetterConfig.targetArn },
        KMSKeyArn: inputs.kmsKeyArn,
        Description: inputs.description,
        Publish: inputs.publish,
        Tags: inputs.tags,
      }),
    );
    await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: LONGEST_WAIT_SECONDS, minDelay: POLL_SECONDS, maxDelay: POLL_SECONDS },
      { FunctionName },
    );
    const ReservedConcurrentExecutions = inputs.reservedConcurrentExecutions;
    // -1 is the provider's word for "not reserved".
    if (ReservedConcurrentExecutions !== undefined && ReservedConcurrentExecutions >= 0) {
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }));
    }
    return {
      arn: created.FunctionArn,
      version: created.Version,
      qualifiedArn: `${created.FunctionArn}:${created.Version}`,
      lastModified: created.LastModified,
    };
  },
});

function loggingConfig(config: {
  logFormat: string;
  logGroup?: string | undefined;
  applicationLogLevel?: string | undefined;
  systemLogLevel?: string | undefined;
}): LoggingConfig {
  const { logFormat, logGroup, applicationLogLevel, systemLogLevel } = config;
  // Levels and format were declared as plain text; Lambda refuses what it does not know.
  return {
    LogFormat: logFormat,
    LogGroup: logGroup,
    ApplicationLogLevel: applicationLogLevel,
    SystemLogLevel: systemLogLevel,
  } as LoggingConfig;
}
