import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { MonolithDatabase } from "./monolith-database";
import type { Network } from "./network";
import { allow, trust } from "./policy";
import { replicationTaskSettings, tableMappings } from "./replication-settings";

/** What `replicate` needs to know. */
export interface ReplicationArgs {
  database: MonolithDatabase;
  /** ARN of the Kinesis stream that records are written to. */
  streamArn: pulumi.Output<string>;
  /** E.g. "dms.t3.micro". */
  replicationInstanceClass: string;
  alarmTopicArn: string | undefined;
}

/** PostgreSQL 17 needs 3.6.1 or newer. Source: AWS DMS release notes. */
const ENGINE_VERSION = "3.6.1";
/** Minutes between the dummy transactions that move the slot on when the database is idle, so that its WAL does not pile up. */
const HEARTBEAT_MINUTES = 5;
/** AWS DMS works in seconds when nothing is wrong; it promises no figure. As long as a relay may be behind. */
const LATENCY_ALARM_SECONDS = 60;
/** DMS may publish its metrics only every five minutes. */
const ALARM_PERIOD_SECONDS = 300;

/** Declares the AWS DMS task that reads the outbox's replication slot and writes to a stream, with alarms when it does not get on. */
export function replicate(
  name: string,
  { database, streamArn, replicationInstanceClass, alarmTopicArn }: ReplicationArgs,
  child: pulumi.CustomResourceOptions,
): void {
  // DMS takes letters, digits and single hyphens; a stack's name may have more. It makes them lower case, which the alarms must match.
  const id = `${pulumi.getProject()}-${pulumi.getStack()}-${name}`
    .replace(/[^a-zA-Z0-9]+/g, "-")
    .toLowerCase();
  const region = aws.getRegionOutput({}, child).region;
  const reader = roleFor(`${name}-source`, pulumi.interpolate`dms.${region}.amazonaws.com`, child, {
    Sid: "ReadSecret",
    Action: ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
    Resource: database.captureSecretArn,
  });
  const writer = roleFor(`${name}-target`, "dms.amazonaws.com", child, {
    Sid: "WriteStream",
    Action: ["kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords"],
    Resource: streamArn,
  });
  const source = new aws.dms.Endpoint(
    `${name}-source`,
    {
      endpointId: `${id}-source`,
      endpointType: "source",
      engineName: "postgres",
      databaseName: database.name,
      sslMode: database.tls === "disable" ? "none" : "require",
      secretsManagerArn: database.captureSecretArn,
      secretsManagerAccessRoleArn: reader.role.arn,
      postgresSettings: {
        pluginName: "test_decoding",
        slotName: `${database.name}_outbox`,
        captureDdls: false,
        failTasksOnLobTruncation: true,
        heartbeatEnable: true,
        heartbeatFrequency: HEARTBEAT_MINUTES,
        heartbeatSchema: "awsdms",
      },
    },
    { ...child, dependsOn: [reader.policy] },
  );
  const target = new aws.dms.Endpoint(
    `${name}-target`,
    {
      endpointId: `${id}-target`,
      endpointType: "target",
      engineName: "kinesis",
      kinesisSettings: {
        streamArn,
        serviceAccessRoleArn: writer.role.arn,
        messageFormat: "json-unformatted",
        includeTransactionDetails: true,
        includePartitionValue: true,
        includeNullAndEmpty: true,
      },
    },
    { ...child, dependsOn: [writer.policy] },
  );
  const { network } = database;
  const instance = new aws.dms.ReplicationInstance(
    `${name}-instance`,
    {
      replicationInstanceId: id,
      replicationInstanceClass,
      engineVersion: ENGINE_VERSION,
      allocatedStorage: 50,
      publiclyAccessible: false,
      autoMinorVersionUpgrade: true,
      ...(network && inSubnets(name, id, network, child)),
    },
    child,
  );
  const task = new aws.dms.ReplicationTask(
    `${name}-task`,
    {
      replicationTaskId: id,
      migrationType: "cdc",
      replicationInstanceArn: instance.replicationInstanceArn,
      sourceEndpointArn: source.endpointArn,
      targetEndpointArn: target.endpointArn,
      tableMappings: JSON.stringify(tableMappings()),
      replicationTaskSettings: JSON.stringify(replicationTaskSettings()),
      startReplicationTask: true,
    },
    child,
  );
  latencyAlarms(name, { instanceId: id, taskArn: task.replicationTaskArn, alarmTopicArn }, child);
}

/** A task that stopped publishes no latency: what is missing counts as too late. */
function latencyAlarms(
  name: string,
  args: { instanceId: string; taskArn: pulumi.Output<string>; alarmTopicArn: string | undefined },
  child: pulumi.CustomResourceOptions,
): void {
  const { instanceId, taskArn, alarmTopicArn } = args;
  const ends = [
    { end: "source", metricName: "CDCLatencySource", what: "read the outbox" },
    { end: "target", metricName: "CDCLatencyTarget", what: "write to the stream" },
  ];
  for (const { end, metricName, what } of ends) {
    new aws.cloudwatch.MetricAlarm(
      `${name}-${end}-latency-alarm`,
      {
        alarmDescription: `Events wait in the monolith's outbox: the replication task of ${name} is stopped or slow to ${what}.`,
        namespace: "AWS/DMS",
        metricName,
        dimensions: {
          ReplicationInstanceIdentifier: instanceId,
          // Not the task's identifier but what AWS calls it in the ARN: arn:aws:dms:<region>:<account>:task:<this>.
          ReplicationTaskIdentifier: taskArn.apply((arn) => arn.split(":").at(-1) as string),
        },
        statistic: "Maximum",
        comparisonOperator: "GreaterThanThreshold",
        threshold: LATENCY_ALARM_SECONDS,
        period: ALARM_PERIOD_SECONDS,
        evaluationPeriods: 2,
        treatMissingData: "breaching",
        alarmActions: alarmTopicArn ? [alarmTopicArn] : [],
      },
      child,
    );
  }
}

/** Places the instance in the database's network; elsewhere it is in the account's default one. */
function inSubnets(
  name: string,
  id: string,
  { subnetIds, securityGroupIds }: Network,
  child: pulumi.CustomResourceOptions,
): Pick<aws.dms.ReplicationInstanceArgs, "replicationSubnetGroupId" | "vpcSecurityGroupIds"> {
  const group = new aws.dms.ReplicationSubnetGroup(
    `${name}-subnets`,
    {
      replicationSubnetGroupId: id,
      replicationSubnetGroupDescription: "Where the monolith's database is reached",
      subnetIds,
    },
    child,
  );
  return { replicationSubnetGroupId: group.replicationSubnetGroupId, vpcSecurityGroupIds: securityGroupIds };
}

function roleFor(
  name: string,
  service: pulumi.Input<string>,
  child: pulumi.CustomResourceOptions,
  statement: Parameters<typeof allow>[0][number],
): { role: aws.iam.Role; policy: aws.iam.RolePolicy } {
  const role = new aws.iam.Role(`${name}-role`, { assumeRolePolicy: trust(service) }, child);
  const policy = new aws.iam.RolePolicy(
    `${name}-policy`,
    { role: role.id, policy: allow([statement]) },
    child,
  );
  return { role, policy };
}
