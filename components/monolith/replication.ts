import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { MonolithDatabase } from "./database";
import { dmsIdentifier } from "./dms-identifier";
import type { Network } from "./network";
import { HEARTBEAT_SCHEMA, slotName } from "../../runtime/postgres/names";
import { allow, trust } from "../function/policy";
import { replicationAlarms } from "./replication-alarms";
import { replicationTaskSettings, tableMappings } from "./replication-settings";

/** The database to read, the stream to write to, and the size of the instance between them. */
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
/** Minutes between the dummy transactions that advance the slot of an idle database. */
const HEARTBEAT_MINUTES = 5;

/** Declares the AWS DMS task from the outbox's slot to a stream, with alarms for when it stalls. */
export function replicate(
  name: string,
  { database, streamArn, replicationInstanceClass, alarmTopicArn }: ReplicationArgs,
  child: pulumi.CustomResourceOptions,
): void {
  const id = dmsIdentifier(`${pulumi.getProject()}-${pulumi.getStack()}-${name}`);
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
        // AWS's name for the plugin test_decoding.
        pluginName: "test-decoding",
        slotName: slotName(database.name),
        captureDdls: false,
        failTasksOnLobTruncation: true,
        heartbeatEnable: true,
        heartbeatFrequency: HEARTBEAT_MINUTES,
        heartbeatSchema: HEARTBEAT_SCHEMA,
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
      // An upgrade by AWS would leave the declared version behind, and the next `pulumi up` would plan a downgrade.
      autoMinorVersionUpgrade: false,
      ...(network && inSubnets(name, id, network, child)),
    },
    child,
  );
  const task = new aws.dms.ReplicationTask(
    `${name}-task`,
    {
      replicationTaskId: id,
      migrationType: "cdc",
      cdcStartPosition: database.captureStartPosition,
      replicationInstanceArn: instance.replicationInstanceArn,
      sourceEndpointArn: source.endpointArn,
      targetEndpointArn: target.endpointArn,
      tableMappings: JSON.stringify(tableMappings()),
      replicationTaskSettings: JSON.stringify(replicationTaskSettings()),
      startReplicationTask: true,
    },
    child,
  );
  replicationAlarms(
    name,
    { instanceId: id, taskArn: task.replicationTaskArn, topicArn: alarmTopicArn },
    child,
  );
}

/** Places the instance in the database's network. Without one, it is in the account's default network. */
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
