import {
  AddPermissionCommand,
  CreateFunctionCommand,
  type LoggingConfig,
  type Runtime,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import type * as aws from "@pulumi/aws";
import { packageHash } from "../package-zip";
import { arnOf, hexDigits, resourceKind } from "../resource-kind";

const LONGEST_WAIT_SECONDS = 30;
const POLL_SECONDS = 0.05;
const LATEST = "$LATEST";

export const lambdaFunction = resourceKind<aws.lambda.FunctionArgs>({
  type: "aws:lambda/function:Function",
  naming: { input: "name", limit: 64 },
  effective: ["code", "environment", "handler", "loggingConfig", "role", "runtime", "timeout"],
  ineffective: {
    architectures: "functions run on this machine's processor.",
    memorySize: "functions are told the size and not held to it.",
    vpcConfig: "functions run in this machine's network.",
  },
  identify: async ({ physicalName, inputs }, scope) => {
    const arn = arnOf(scope, "lambda", `function:${physicalName}`);
    const path = `2015-03-31/functions/${arn}/invocations`;
    const zip = await scope.zip(inputs.code);
    return {
      id: physicalName,
      package: zip,
      variables: scope.functionVariables?.(physicalName) ?? {},
      defaults: { memorySize: 128, timeout: 3, architectures: ["x86_64"] },
      outputs: {
        arn,
        version: LATEST,
        invokeArn: `arn:aws:apigateway:${scope.region}:lambda:path/${path}`,
        qualifiedArn: `${arn}:${LATEST}`,
        sourceCodeSize: zip.length,
        sourceCodeHash: packageHash(zip),
      },
    };
  },
  create: async ({ physicalName: FunctionName, inputs }, identified, { lambda }) => {
    const { environment, loggingConfig, architectures } = inputs;
    const { FunctionArn } = await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Code: { ZipFile: identified.package },
        Role: inputs.role,
        Handler: inputs.handler,
        Runtime: inputs.runtime as Runtime | undefined,
        Timeout: inputs.timeout,
        MemorySize: inputs.memorySize,
        Environment: { Variables: { ...environment?.variables, ...identified.variables } },
        Architectures: architectures as ("arm64" | "x86_64")[] | undefined,
        LoggingConfig: loggingConfig && {
          LogFormat: loggingConfig.logFormat as NonNullable<LoggingConfig["LogFormat"]>,
          LogGroup: loggingConfig.logGroup,
        },
      }),
    );
    await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: LONGEST_WAIT_SECONDS, minDelay: POLL_SECONDS, maxDelay: POLL_SECONDS },
      { FunctionName },
    );
    return { arn: FunctionArn };
  },
});

export const functionPermission = resourceKind<aws.lambda.PermissionArgs>({
  type: "aws:lambda/permission:Permission",
  caveat: "the emulator invokes functions without checking it; the provisioner checks it instead.",
  naming: { input: "statementId", limit: 100 },
  effective: ["action", "function", "principal", "sourceArn"],
  identify: ({ physicalName }) => ({ id: physicalName, outputs: {} }),
  create: async ({ physicalName, inputs }, _identified, { lambda }) => {
    await lambda.send(
      new AddPermissionCommand({
        // A function may be given as a resource: it has become its id by now, which is its name.
        FunctionName: String(inputs.function),
        StatementId: physicalName,
        Action: inputs.action,
        Principal: inputs.principal,
        SourceArn: inputs.sourceArn,
      }),
    );
  },
});

export const eventSourceMapping = resourceKind<aws.lambda.EventSourceMappingArgs>({
  type: "aws:lambda/eventSourceMapping:EventSourceMapping",
  replacement:
    "the emulator's own mappings lose records of a batch that fails in part, so the local event sources poll and invoke " +
    "as AWS documents it.",
  // local/event-sources/mapping-inputs.ts reads every input, and a start fails for one it does not support.
  identify: (resource, scope) => {
    const { functionName } = resource.inputs;
    const uuid = hexDigits(resource, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    const isArn = functionName.startsWith("arn:");
    const outputs = {
      uuid,
      functionArn: isArn ? functionName : arnOf(scope, "lambda", `function:${functionName}`),
      arn: arnOf(scope, "lambda", `event-source-mapping:${uuid}`),
      state: "Enabled",
    };
    return { id: uuid, outputs };
  },
});
