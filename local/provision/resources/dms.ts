import type * as aws from "@pulumi/aws";
import { arnOf, type DeclaredResource, hexDigits, resourceKind, type Scope } from "../resource-kind";

const NOT_A_MACHINE = "the stand-in for DMS is a process on this machine.";
const FROM_SECRET = "the local database is reached as the secret says.";

export const dmsEndpoint = resourceKind<aws.dms.EndpointArgs>({
  type: "aws:dms/endpoint:Endpoint",
  // Whatever else is declared is read by the stand-in, which refuses what it cannot do.
  replacement:
    "no emulator has AWS DMS; the local change data capture takes its settings from this endpoint.",
  ineffective: {
    password: FROM_SECRET,
    port: FROM_SECRET,
    serverName: FROM_SECRET,
    sslMode: "the local database is reached without TLS.",
    username: FROM_SECRET,
  },
  identify: (resource, scope) => ({
    id: resource.inputs.endpointId,
    outputs: { endpointArn: dmsArn(scope, "endpoint", resource) },
  }),
});

export const dmsReplicationInstance = resourceKind<aws.dms.ReplicationInstanceArgs>({
  type: "aws:dms/replicationInstance:ReplicationInstance",
  replacement: NOT_A_MACHINE,
  identify: (resource, scope) => ({
    id: resource.inputs.replicationInstanceId,
    outputs: { replicationInstanceArn: dmsArn(scope, "rep", resource) },
  }),
});

export const dmsReplicationSubnetGroup = resourceKind<aws.dms.ReplicationSubnetGroupArgs>({
  type: "aws:dms/replicationSubnetGroup:ReplicationSubnetGroup",
  replacement: NOT_A_MACHINE,
  identify: ({ inputs: { replicationSubnetGroupId: id } }, scope) => ({
    id,
    outputs: { replicationSubnetGroupArn: arnOf(scope, "dms", `subgrp:${id}`) },
  }),
});

export const dmsReplicationTask = resourceKind<aws.dms.ReplicationTaskArgs>({
  type: "aws:dms/replicationTask:ReplicationTask",
  replacement: "no emulator has AWS DMS; the local change data capture reads the outbox in its place.",
  identify: (resource, scope) => ({
    id: resource.inputs.replicationTaskId,
    outputs: {
      replicationTaskArn: dmsArn(scope, "task", resource),
      status: resource.inputs.startReplicationTask ? "running" : "ready",
    },
  }),
});

function dmsArn(scope: Scope, kind: string, resource: DeclaredResource<unknown>): string {
  return arnOf(scope, "dms", `${kind}:${hexDigits(resource, 26).toUpperCase()}`);
}
