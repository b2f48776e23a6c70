import type { ResourceKind } from "./resource-kind";
import { awsProvider } from "./resources/aws-provider";
import {
  dmsEndpoint,
  dmsReplicationInstance,
  dmsReplicationSubnetGroup,
  dmsReplicationTask,
} from "./resources/dms";
import { eventBus } from "./resources/event-bus";
import { eventRule } from "./resources/event-rule";
import { eventSourceMapping } from "./resources/event-source-mapping";
import { eventTarget } from "./resources/event-target";
import { lambdaFunction } from "./resources/function";
import { functionPermission } from "./resources/function-permission";
import { logGroup } from "./resources/log-group";
import { metricAlarm } from "./resources/metric-alarm";
import { queue } from "./resources/queue";
import { queuePolicy } from "./resources/queue-policy";
import { role } from "./resources/role";
import { rolePolicy } from "./resources/role-policy";
import { secret } from "./resources/secret";
import { secretVersion } from "./resources/secret-version";
import { stream } from "./resources/stream";
import { table } from "./resources/table";

/** Every resource type that a local run can create or stand in for, by its Pulumi type token. */
export const RESOURCE_KINDS: ReadonlyMap<string, ResourceKind> = new Map(
  [
    awsProvider,
    dmsEndpoint,
    dmsReplicationInstance,
    dmsReplicationSubnetGroup,
    dmsReplicationTask,
    eventBus,
    eventRule,
    eventSourceMapping,
    eventTarget,
    functionPermission,
    lambdaFunction,
    logGroup,
    metricAlarm,
    queue,
    queuePolicy,
    role,
    rolePolicy,
    secret,
    secretVersion,
    stream,
    table,
  ].map((kind) => [kind.type, kind]),
);
