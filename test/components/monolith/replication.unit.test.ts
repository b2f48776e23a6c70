import "../../support/program/unpackaged";
import { expect, test } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { dmsIdentifier } from "../../../dist/components/monolith/dms-identifier.js";
import { replicate } from "../../../dist/components/monolith/replication.js";
import { deploy, json } from "../../support/program/mocks";
import { DATABASE } from "../../support/postgres/monolith-database";

const STREAM_ARN = "arn:aws:kinesis:eu-central-1:111122223333:stream/monolith-stream-1234567";
const args = {
  database: DATABASE,
  streamArn: pulumi.output(STREAM_ARN),
  replicationInstanceClass: "dms.t3.micro",
  alarmTopicArn: undefined,
};

const { one } = await deploy(() => {
  const network = { subnetIds: ["subnet-0a1", "subnet-0b2"], securityGroupIds: ["sg-0c3"] };
  replicate("monolith", args, {});
  replicate("Plain_DB", { ...args, database: { ...DATABASE, tls: "disable" } }, {});
  replicate("private", { ...args, database: { ...DATABASE, network } }, {});
});

test("DMS reads the outbox's own slot with test_decoding, advances it when idle, and stops instead of truncating a payload", () => {
  expect(one("aws:dms/endpoint:Endpoint", "monolith-source").inputs).toEqual({
    endpointId: "domain-consistency-dev-monolith-source",
    endpointType: "source",
    engineName: "postgres",
    databaseName: "library",
    sslMode: "require",
    secretsManagerArn: DATABASE.captureSecretArn,
    secretsManagerAccessRoleArn: "arn:aws:iam::111122223333:role/monolith-source-role-1234567",
    postgresSettings: {
      pluginName: "test-decoding",
      slotName: "library_outbox",
      captureDdls: false,
      failTasksOnLobTruncation: true,
      heartbeatEnable: true,
      heartbeatFrequency: 5,
      heartbeatSchema: "awsdms",
    },
  });
});

test("Alarms find the metrics of DMS by the identifier that it was given", () => {
  const id = dmsIdentifier("domain-consistency-dev-Plain_DB");
  expect(one("aws:dms/replicationInstance:ReplicationInstance", "Plain_DB-instance").inputs).toMatchObject({
    replicationInstanceId: id,
  });
  const alarm = one("aws:cloudwatch/metricAlarm:MetricAlarm", "Plain_DB-target-latency-alarm");
  expect(alarm.inputs.dimensions).toMatchObject({ ReplicationInstanceIdentifier: id });
});

test("DMS connects without TLS only where the database is configured so", () => {
  expect(one("aws:dms/endpoint:Endpoint", "Plain_DB-source").inputs.sslMode).toBe("none");
});

test("DMS writes records that are one line of JSON, whole, and say what committed them and how they are keyed", () => {
  expect(one("aws:dms/endpoint:Endpoint", "monolith-target").inputs).toEqual({
    endpointId: "domain-consistency-dev-monolith-target",
    endpointType: "target",
    engineName: "kinesis",
    kinesisSettings: {
      streamArn: STREAM_ARN,
      serviceAccessRoleArn: "arn:aws:iam::111122223333:role/monolith-target-role-1234567",
      messageFormat: "json-unformatted",
      includeTransactionDetails: true,
      includePartitionValue: true,
      includeNullAndEmpty: true,
    },
  });
});

test("The replication instance runs a version that reads PostgreSQL 17 and stays at it, and is not public", () => {
  expect(one("aws:dms/replicationInstance:ReplicationInstance", "monolith-instance").inputs).toEqual({
    replicationInstanceId: "domain-consistency-dev-monolith",
    replicationInstanceClass: "dms.t3.micro",
    engineVersion: "3.6.1",
    allocatedStorage: 50,
    publiclyAccessible: false,
    autoMinorVersionUpgrade: false,
  });
});

test("In a private network the instance is placed in its subnets, with its security groups", () => {
  const group = one("aws:dms/replicationSubnetGroup:ReplicationSubnetGroup", "private-subnets");
  expect(group.inputs).toEqual({
    replicationSubnetGroupId: "domain-consistency-dev-private",
    replicationSubnetGroupDescription: "Where the monolith's database is reached",
    subnetIds: ["subnet-0a1", "subnet-0b2"],
  });
  expect(one("aws:dms/replicationInstance:ReplicationInstance", "private-instance").inputs).toMatchObject({
    replicationSubnetGroupId: "domain-consistency-dev-private",
    vpcSecurityGroupIds: ["sg-0c3"],
    publiclyAccessible: false,
  });
});

const { replicationTaskSettings, tableMappings, ...task } = one(
  "aws:dms/replicationTask:ReplicationTask",
  "monolith-task",
).inputs;

test("The task replicates changes from the source to the target, starts by itself, and where the slot has the first change", () => {
  const arn = (kind: string, name: string) =>
    `arn:aws:dms:eu-central-1:111122223333:${kind}:monolith-${name}-1234567`;
  expect(task).toEqual({
    replicationTaskId: "domain-consistency-dev-monolith",
    migrationType: "cdc",
    cdcStartPosition: "2/7C007178",
    replicationInstanceArn: arn("rep", "instance"),
    sourceEndpointArn: arn("endpoint", "source"),
    targetEndpointArn: arn("endpoint", "target"),
    startReplicationTask: true,
  });
});

test.each([
  ["source", "CDCLatencySource"],
  ["target", "CDCLatencyTarget"],
])(
  "An alarm is raised when the task is slow at its %s, and when it does not run at all",
  (end, metricName) => {
    const { inputs } = one("aws:cloudwatch/metricAlarm:MetricAlarm", `monolith-${end}-latency-alarm`);
    const { alarmDescription, ...alarm } = inputs;
    expect(alarmDescription).toMatch(
      /^Events are waiting in the monolith's outbox: the replication task of monolith is stopped or slow /,
    );
    expect(alarm).toEqual({
      namespace: "AWS/DMS",
      metricName,
      dimensions: {
        ReplicationInstanceIdentifier: "domain-consistency-dev-monolith",
        ReplicationTaskIdentifier: "monolith-task-1234567",
      },
      statistic: "Maximum",
      comparisonOperator: "GreaterThanThreshold",
      threshold: 60,
      period: 300,
      evaluationPeriods: 2,
      treatMissingData: "breaching",
      alarmActions: [],
    });
  },
);

test("The task captures the outbox only, and keys its records by aggregate, so that an aggregate's events stay in order", () => {
  const outbox = { "schema-name": "public", "table-name": "outbox" };
  expect(json(tableMappings)).toEqual({
    rules: [
      {
        "rule-type": "selection",
        "rule-id": "1",
        "rule-name": "outbox",
        "object-locator": outbox,
        "rule-action": "include",
        filters: [],
      },
      {
        "rule-type": "object-mapping",
        "rule-id": "2",
        "rule-name": "by-aggregate",
        "rule-action": "map-record-to-record",
        "object-locator": outbox,
        "mapping-parameters": {
          "partition-key-type": "attribute-name",
          "partition-key-name": "aggregate_id",
        },
      },
    ],
  });
});

test("The task works with one thread, takes payloads of limited size, and stops at anything that it would lose", () => {
  expect(json(replicationTaskSettings)).toEqual({
    TargetMetadata: {
      SupportLobs: true,
      FullLobMode: false,
      LimitedSizeLobMode: true,
      LobMaxSize: 1024,
      BatchApplyEnabled: false,
      ParallelApplyThreads: 0,
    },
    Logging: { EnableLogging: true },
    ErrorBehavior: {
      DataTruncationErrorPolicy: "STOP_TASK",
      DataErrorPolicy: "STOP_TASK",
      TableErrorPolicy: "STOP_TASK",
      RecoverableErrorCount: -1,
    },
  });
});

test.each([
  {
    end: "source",
    service: "dms.eu-central-1.amazonaws.com",
    statement: {
      Sid: "ReadSecret",
      Effect: "Allow",
      Action: ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
      Resource: DATABASE.captureSecretArn,
    },
  },
  {
    end: "target",
    service: "dms.amazonaws.com",
    statement: {
      Sid: "WriteStream",
      Effect: "Allow",
      Action: ["kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords"],
      Resource: STREAM_ARN,
    },
  },
])(
  "The $end endpoint's role is assumed by $service and allows one thing, before DMS needs it",
  (expected) => {
    const role = one("aws:iam/role:Role", `monolith-${expected.end}-role`);
    const policy = one("aws:iam/rolePolicy:RolePolicy", `monolith-${expected.end}-policy`);
    expect(json(role.inputs.assumeRolePolicy)).toMatchObject({
      Statement: [{ Principal: { Service: expected.service } }],
    });
    expect(policy.inputs.role).toBe(`monolith-${expected.end}-role-1234567`);
    expect(json(policy.inputs.policy)).toMatchObject({ Statement: [expected.statement] });
    expect(one("aws:dms/endpoint:Endpoint", `monolith-${expected.end}`).dependencies).toContain(policy.urn);
  },
);
