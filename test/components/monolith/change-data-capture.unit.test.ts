import "../../support/program/unpackaged";
import { expect, test } from "vitest";
import { ChangeDataCapture } from "../../../dist/components/monolith/change-data-capture.js";
import { EventBus } from "../../../dist/components/event-bus.js";
import { monolithModule } from "../../../dist/runtime/index.js";
import { deploy, json } from "../../support/program/mocks";
import { DATABASE } from "../../support/postgres/monolith-database";

const STREAM_ARN = "arn:aws:kinesis:eu-central-1:111122223333:stream/monolith-stream-1234567";
const args = {
  database: DATABASE,
  modules: [monolithModule("members", {}), monolithModule("press", {})],
  deletionProtection: true,
  streamShards: 3,
  streamRetentionHours: 48,
  replicationInstanceClass: "dms.t3.micro",
  logRetentionDays: 7,
  alarmTopicArn: undefined,
};

const deployment = await deploy(() => {
  const bus = new EventBus("events");
  const { streamArn, quarantineUrl, holdsTable } = new ChangeDataCapture("monolith", { ...args, bus });
  return { streamArn, quarantineUrl, holdsTable };
});
const { one } = deployment;

test("Change data capture is a stream, a DMS task with its endpoints, roles and alarms, and a relay", () => {
  const component = one("domain-consistency:components:ChangeDataCapture", "monolith");
  expect(deployment.childrenOf(component)).toEqual([
    "aws:cloudwatch/metricAlarm:MetricAlarm monolith-source-latency-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm monolith-target-latency-alarm",
    "aws:dms/endpoint:Endpoint monolith-source",
    "aws:dms/endpoint:Endpoint monolith-target",
    "aws:dms/replicationInstance:ReplicationInstance monolith-instance",
    "aws:dms/replicationTask:ReplicationTask monolith-task",
    "aws:iam/role:Role monolith-source-role",
    "aws:iam/role:Role monolith-target-role",
    "aws:iam/rolePolicy:RolePolicy monolith-source-policy",
    "aws:iam/rolePolicy:RolePolicy monolith-target-policy",
    "aws:kinesis/stream:Stream monolith-stream",
    "domain-consistency:components:Relay monolith-relay",
  ]);
  expect(deployment.outputs).toEqual({
    streamArn: STREAM_ARN,
    quarantineUrl: "https://sqs.eu-central-1.amazonaws.com/111122223333/monolith-relay-quarantine-1234567",
    holdsTable: "monolith-relay-holds-1234567",
  });
});

test("The stream has the shards and the retention that were asked for, and is encrypted", () => {
  expect(one("aws:kinesis/stream:Stream", "monolith-stream").inputs).toEqual({
    shardCount: 3,
    retentionPeriod: 48,
    streamModeDetails: { streamMode: "PROVISIONED" },
    encryptionType: "KMS",
    kmsKeyId: "alias/aws/kinesis",
  });
});

test("The relay reads the stream that DMS writes, unfiltered, since it quarantines what Lambda's filter would drop", () => {
  const { inputs } = one("aws:lambda/eventSourceMapping:EventSourceMapping", "monolith-relay-source");
  expect(inputs.eventSourceArn).toBe(STREAM_ARN);
  expect(inputs.filterCriteria).toBeUndefined();
});

test("The relay publishes as the monolith's modules, and nobody else", () => {
  const { policy } = one("aws:iam/rolePolicy:RolePolicy", "monolith-relay-policy").inputs;
  expect(json(policy)).toMatchObject({
    Statement: [
      { Sid: "WriteLog" },
      { Sid: "ReadStream", Resource: STREAM_ARN },
      {
        Sid: "PublishEvents",
        Condition: { "ForAllValues:StringEquals": { "events:source": ["members", "press"] } },
      },
      { Sid: "QuarantineRecords" },
      { Sid: "HoldAggregates" },
    ],
  });
});
