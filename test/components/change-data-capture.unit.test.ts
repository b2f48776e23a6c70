import "../support/unpackaged";
import { expect, test } from "vitest";
import { ChangeDataCapture } from "../../dist/components/change-data-capture.js";
import { EventBus } from "../../dist/components/event-bus.js";
import { deploy, json } from "../support/mocks";
import { REQUIRED_CONFIG } from "../support/stack-config";

const { applicationSecretArn, captureSecretArn, retentionSecretArn } = REQUIRED_CONFIG;
const STREAM_ARN = "arn:aws:kinesis:eu-central-1:111122223333:stream/monolith-stream-1234567";
const database = {
  host: "db.example.internal",
  port: 5432,
  name: "shop",
  tls: "verify-full" as const,
  applicationSecretArn,
  captureSecretArn,
  retentionSecretArn,
};
const args = {
  database,
  domains: ["catalog", "customers"],
  streamShards: 3,
  streamRetentionHours: 48,
  replicationInstanceClass: "dms.t3.micro",
  logRetentionDays: 7,
  alarmTopicArn: undefined,
};

const deployment = await deploy(() => {
  const bus = new EventBus("events");
  const { streamArn, quarantineUrl } = new ChangeDataCapture("monolith", { ...args, bus });
  new ChangeDataCapture("Plain_DB", { ...args, database: { ...database, tls: "disable" }, bus });
  return { streamArn, quarantineUrl };
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

test("DMS reads the outbox's own slot with test_decoding, moves it on when idle, and stops rather than cut a payload", () => {
  expect(one("aws:dms/endpoint:Endpoint", "monolith-source").inputs).toEqual({
    endpointId: "domain-consistency-dev-monolith-source",
    endpointType: "source",
    engineName: "postgres",
    databaseName: "shop",
    sslMode: "require",
    secretsManagerArn: captureSecretArn,
    secretsManagerAccessRoleArn: "arn:aws:iam::111122223333:role/monolith-source-role-1234567",
    postgresSettings: {
      pluginName: "test_decoding",
      slotName: "shop_outbox",
      captureDdls: false,
      failTasksOnLobTruncation: true,
      heartbeatEnable: true,
      heartbeatFrequency: 5,
      heartbeatSchema: "awsdms",
    },
  });
});

test("DMS is given identifiers as it keeps them, in lower case, so that alarms find its metrics", () => {
  const id = "domain-consistency-dev-plain-db";
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

test("The replication instance runs a version that reads PostgreSQL 17, and is not public", () => {
  expect(one("aws:dms/replicationInstance:ReplicationInstance", "monolith-instance").inputs).toEqual({
    replicationInstanceId: "domain-consistency-dev-monolith",
    replicationInstanceClass: "dms.t3.micro",
    engineVersion: "3.6.1",
    allocatedStorage: 50,
    publiclyAccessible: false,
    autoMinorVersionUpgrade: true,
  });
});

const { replicationTaskSettings, tableMappings, ...task } = one(
  "aws:dms/replicationTask:ReplicationTask",
  "monolith-task",
).inputs;

test("The task replicates changes from the source to the target, and starts by itself", () => {
  const arn = (kind: string, name: string) =>
    `arn:aws:dms:eu-central-1:111122223333:${kind}:monolith-${name}-1234567`;
  expect(task).toEqual({
    replicationTaskId: "domain-consistency-dev-monolith",
    migrationType: "cdc",
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
  "The on-call is told when the task is slow at its %s, and when it does not run at all",
  (end, metricName) => {
    const { inputs } = one("aws:cloudwatch/metricAlarm:MetricAlarm", `monolith-${end}-latency-alarm`);
    const { alarmDescription, ...alarm } = inputs;
    expect(alarmDescription).toMatch(
      /^Events wait in the monolith's outbox: the replication task of monolith is stopped or slow /,
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
      Resource: captureSecretArn,
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

test("The relay reads the stream that DMS writes, unfiltered, since it sets aside what Lambda's filter would drop", () => {
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
        Condition: { "ForAllValues:StringEquals": { "events:source": ["catalog", "customers"] } },
      },
      { Sid: "SetRecordsAside" },
    ],
  });
});

test("DMS gets identifiers that it takes, whatever characters the names of stack and component have", async () => {
  const { one: named } = await deploy(
    () => new ChangeDataCapture("mono_lith", { ...args, bus: new EventBus("events") }),
  );
  const { replicationTaskId } = named("aws:dms/replicationTask:ReplicationTask", "mono_lith-task").inputs;
  expect(replicationTaskId).toBe("domain-consistency-dev-mono-lith");
});
