import { ACCOUNT, REGION } from "./stack-config";

/** The outputs of a created resource: its physical name and the values derived from it. */
export interface ProviderState {
  id: string;
  outputs: Record<string, unknown>;
}

/** The suffix that Pulumi appends to a logical name if no name is given: a hyphen and seven hex digits. */
export const SUFFIX = "-1234567";

/** Generates the computed outputs of a created resource, as the provider returns them. */
export function providerState(
  type: string,
  logicalName: string,
  inputs: Record<string, unknown>,
): ProviderState {
  const name = typeof inputs.name === "string" ? inputs.name : logicalName + SUFFIX;
  const make = STATES[type];
  if (!make)
    throw new Error(`No state is known for resources of type "${type}". Add it to provider-state.ts.`);
  const { id = name, ...outputs } = make(name);
  return { id: String(id), outputs };
}

const arn = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
const queueUrl = (name: string) => `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${name}`;
const dms = (name: string, kind: string, output: string) => ({
  id: name,
  [output]: arn("dms", `${kind}:${name}`),
});

const STATES: Record<string, (name: string) => Record<string, unknown>> = {
  "aws:cloudwatch/eventBus:EventBus": (name) => ({ name, arn: arn("events", `event-bus/${name}`) }),
  "aws:cloudwatch/eventRule:EventRule": (name) => ({ name, arn: arn("events", `rule/${name}`) }),
  "aws:cloudwatch/eventTarget:EventTarget": () => ({}),
  "aws:cloudwatch/logGroup:LogGroup": (name) => ({ name, arn: arn("logs", `log-group:${name}`) }),
  "aws:cloudwatch/metricAlarm:MetricAlarm": (name) => ({ name, arn: arn("cloudwatch", `alarm:${name}`) }),
  "aws:dms/endpoint:Endpoint": (name) => dms(name, "endpoint", "endpointArn"),
  "aws:dms/replicationInstance:ReplicationInstance": (name) => dms(name, "rep", "replicationInstanceArn"),
  "aws:dms/replicationSubnetGroup:ReplicationSubnetGroup": (name) =>
    dms(name, "subgrp", "replicationSubnetGroupArn"),
  "aws:dms/replicationTask:ReplicationTask": (name) => dms(name, "task", "replicationTaskArn"),
  "aws:dynamodb/table:Table": (name) => ({
    name,
    arn: arn("dynamodb", `table/${name}`),
    streamArn: arn("dynamodb", `table/${name}/stream/2026-11-23T00:00:00.000`),
  }),
  "aws:iam/role:Role": (name) => ({ name, arn: `arn:aws:iam::${ACCOUNT}:role/${name}` }),
  "aws:iam/rolePolicy:RolePolicy": (name) => ({ name }),
  "aws:kinesis/stream:Stream": (name) => ({ name, arn: arn("kinesis", `stream/${name}`) }),
  "aws:lambda/eventSourceMapping:EventSourceMapping": () => ({}),
  "aws:lambda/permission:Permission": () => ({}),
  "aws:lambda/function:Function": (name) => ({ name, arn: arn("lambda", `function:${name}`) }),
  "aws:sqs/queue:Queue": (name) => ({ id: queueUrl(name), name, url: queueUrl(name), arn: arn("sqs", name) }),
  "aws:sqs/queuePolicy:QueuePolicy": () => ({}),
};
