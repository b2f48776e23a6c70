import type * as aws from "@pulumi/aws";
import { hexDigits } from "../physical-name";
import { arnOf, resourceKind, type DeclaredResource, type Scope } from "../resource-kind";

const IDENTIFIER_DIGITS = 26;
const NOT_A_MACHINE = "the stand-in for DMS is a process on this machine.";

export const dmsEndpoint = resourceKind<aws.dms.EndpointArgs>({
  type: "aws:dms/endpoint:Endpoint",
  replacement:
    "no emulator has AWS DMS; the local change data capture takes its settings from this endpoint.",
  // Whatever is declared is read by the stand-in, which refuses what it cannot do.
  effective: [
    "databaseName",
    "endpointId",
    "endpointType",
    "engineName",
    "extraConnectionAttributes",
    "kinesisSettings",
    "postgresSettings",
    "secretsManagerAccessRoleArn",
    "secretsManagerArn",
    "tags",
  ],
  ineffective: {
    certificateArn: "the local database is reached without TLS.",
    kmsKeyArn: "nothing is encrypted in a local run.",
    pauseReplicationTasks: NOT_A_MACHINE,
    password: "the local database is reached with the secret's credentials.",
    port: "the local database is reached at the secret's address.",
    serverName: "the local database is reached at the secret's address.",
    sslMode: "the local database is reached without TLS.",
    username: "the local database is reached with the secret's credentials.",
  },
  identify: (resource, scope) => ({
    id: resource.inputs.endpointId,
    outputs: { endpointArn: dmsArn(scope, "endpoint", resource) },
  }),
});

export const dmsReplicationInstance = resourceKind<aws.dms.ReplicationInstanceArgs>({
  type: "aws:dms/replicationInstance:ReplicationInstance",
  replacement: NOT_A_MACHINE,
  effective: [
    "allocatedStorage",
    "allowMajorVersionUpgrade",
    "applyImmediately",
    "autoMinorVersionUpgrade",
    "availabilityZone",
    "engineVersion",
    "kmsKeyArn",
    "multiAz",
    "networkType",
    "preferredMaintenanceWindow",
    "publiclyAccessible",
    "replicationInstanceClass",
    "replicationInstanceId",
    "replicationSubnetGroupId",
    "tags",
    "vpcSecurityGroupIds",
  ],
  identify: (resource, scope) => ({
    id: resource.inputs.replicationInstanceId,
    outputs: {
      replicationInstanceArn: dmsArn(scope, "rep", resource),
      replicationInstancePrivateIps: ["127.0.0.1"],
    },
  }),
});

export const dmsReplicationSubnetGroup = resourceKind<aws.dms.ReplicationSubnetGroupArgs>({
  type: "aws:dms/replicationSubnetGroup:ReplicationSubnetGroup",
  replacement: NOT_A_MACHINE,
  effective: ["replicationSubnetGroupDescription", "replicationSubnetGroupId", "subnetIds", "tags"],
  identify: (resource, scope) => ({
    id: resource.inputs.replicationSubnetGroupId,
    outputs: {
      replicationSubnetGroupArn: arnOf(scope, "dms", `subgrp:${resource.inputs.replicationSubnetGroupId}`),
      vpcId: `vpc-${hexDigits(resource, 17)}`,
    },
  }),
});

export const dmsReplicationTask = resourceKind<aws.dms.ReplicationTaskArgs>({
  type: "aws:dms/replicationTask:ReplicationTask",
  replacement: "no emulator has AWS DMS; the local change data capture reads the outbox in its place.",
  effective: [
    "cdcStartPosition",
    "cdcStartTime",
    "migrationType",
    "replicationInstanceArn",
    "replicationTaskId",
    "replicationTaskSettings",
    "resourceIdentifier",
    "sourceEndpointArn",
    "startReplicationTask",
    "tableMappings",
    "tags",
    "targetEndpointArn",
  ],
  identify: (resource, scope) => ({
    id: resource.inputs.replicationTaskId,
    outputs: {
      replicationTaskArn: dmsArn(scope, "task", resource),
      status: resource.inputs.startReplicationTask ? "running" : "ready",
    },
  }),
});

function dmsArn(scope: Scope, kind: string, resource: DeclaredResource<unknown>): string {
  return arnOf(scope, "dms", `${kind}:${hexDigits(resource, IDENTIFIER_DIGITS).toUpperCase()}`);
}
