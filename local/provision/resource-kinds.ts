import type { runtime } from "@pulumi/pulumi";
import { codedError } from "../../runtime/function/coded-error";
import type { ResourceKind, Scope } from "./resource-kind";
import * as cloudwatch from "./resources/cloudwatch";
import * as dms from "./resources/dms";
import * as dynamodb from "./resources/dynamodb";
import * as eventbridge from "./resources/eventbridge";
import * as iam from "./resources/iam";
import * as kinesis from "./resources/kinesis";
import * as lambda from "./resources/lambda";
import * as sqs from "./resources/sqs";

/** Every resource type that a local run can create or stand in for, by its Pulumi type token. */
export const RESOURCE_KINDS: ReadonlyMap<string, ResourceKind> = new Map(
  [
    cloudwatch.logGroup,
    cloudwatch.metricAlarm,
    dms.dmsEndpoint,
    dms.dmsReplicationInstance,
    dms.dmsReplicationSubnetGroup,
    dms.dmsReplicationTask,
    dynamodb.table,
    eventbridge.eventBus,
    eventbridge.eventRule,
    eventbridge.eventTarget,
    iam.role,
    iam.rolePolicy,
    kinesis.stream,
    lambda.eventSourceMapping,
    lambda.functionPermission,
    lambda.lambdaFunction,
    sqs.queue,
    sqs.queuePolicy,
  ].map((kind) => [kind.type, kind]),
);

/** Functions of the AWS provider that a program may call, by token, and their answers on this machine. */
const PROVIDER_FUNCTIONS: Readonly<Record<string, (scope: Scope) => object>> = {
  "aws:index/getCallerIdentity:getCallerIdentity": ({ account }) => ({
    id: account,
    accountId: account,
    arn: `arn:aws:iam::${account}:root`,
    userId: account,
  }),
  "aws:index/getRegion:getRegion": ({ region }) => ({ id: region, region, name: region }),
};

/**
 * Answers a provider function that the program calls.
 *
 * @throws `PROVIDER_FUNCTION_UNKNOWN`
 */
export function callProviderFunction(
  { token, inputs }: runtime.MockCallArgs,
  scope: Scope,
): Record<string, unknown> {
  const answer = PROVIDER_FUNCTIONS[token];
  if (answer) return { ...inputs, ...answer(scope) };
  throw codedError(
    "PROVIDER_FUNCTION_UNKNOWN",
    `The program calls "${token}", which has no answer on this machine. Add it to local/provision/resource-kinds.ts, ` +
      "or take the value from the stack's configuration.",
  );
}
