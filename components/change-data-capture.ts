import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { makeKinesisRelay } from "../runtime/relay/kinesis";
import type { MonolithDatabase } from "./monolith-database";
import type { EventBus } from "./event-bus";
import { allow, trust } from "./policy";
import { Relay } from "./relay";
import { replicationTaskSettings, tableMappings } from "./replication-settings";

/** Arguments of a `ChangeDataCapture`. */
export interface ChangeDataCaptureArgs {
  database: MonolithDatabase;
  bus: EventBus;
  /** The modules whose events are captured. */
  domains: string[];
  /** Shards of the stream. */
  streamShards: number;
  /** Hours that the stream keeps records. */
  streamRetentionHours: number;
  /** E.g. "dms.t3.micro". */
  replicationInstanceClass: string;
  logRetentionDays: number;
  alarmTopicArn: string | undefined;
}

/** PostgreSQL 17 needs 3.6.1 or newer. Source: AWS DMS release notes. */
const ENGINE_VERSION = "3.6.1";
/** Minutes between the dummy transactions that move the slot on when the database is idle, so that its WAL does not pile up. */
const HEARTBEAT_MINUTES = 5;

/** Captures the monolith's outbox: AWS DMS reads the replication slot and writes to Kinesis, and a relay publishes from there. */
export class ChangeDataCapture extends pulumi.ComponentResource {
  readonly streamArn: pulumi.Output<string>;
  readonly quarantineUrl: pulumi.Output<string>;

  constructor(name: string, args: ChangeDataCaptureArgs, opts?: pulumi.ComponentResourceOptions) {
    super("domain-consistency:components:ChangeDataCapture", name, {}, opts);
    const child = { parent: this };
    const stream = new aws.kinesis.Stream(
      `${name}-stream`,
      {
        shardCount: args.streamShards,
        retentionPeriod: args.streamRetentionHours,
        streamModeDetails: { streamMode: "PROVISIONED" },
        encryptionType: "KMS",
        kmsKeyId: "alias/aws/kinesis",
      },
      child,
    );
    replicate(name, args, stream, child);
    const relay = new Relay(
      `${name}-relay`,
      {
        owner: "the monolith's relay",
        callbackFactory: makeKinesisRelay(),
        bus: args.bus,
        domains: args.domains,
        streamArn: stream.arn,
        reading: {
          Sid: "ReadStream",
          Action: [
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
          ],
          Resource: stream.arn,
        },
        // No filter on the records: Lambda drops what is not JSON before a filter, and the relay must set it aside.
        filters: [],
        logRetentionDays: args.logRetentionDays,
        alarmTopicArn: args.alarmTopicArn,
      },
      child,
    );
    this.streamArn = stream.arn;
    this.quarantineUrl = relay.quarantineUrl;
    this.registerOutputs({ streamArn: this.streamArn });
  }
}

function replicate(
  name: string,
  { database, replicationInstanceClass }: ChangeDataCaptureArgs,
  stream: aws.kinesis.Stream,
  child: pulumi.CustomResourceOptions,
): void {
  // DMS takes letters, digits and single hyphens; a stack's name may have more.
  const id = `${pulumi.getProject()}-${pulumi.getStack()}-${name}`.replace(/[^a-zA-Z0-9]+/g, "-");
  const region = aws.getRegionOutput({}, child).region;
  const reader = roleFor(`${name}-source`, pulumi.interpolate`dms.${region}.amazonaws.com`, child, {
    Sid: "ReadSecret",
    Action: ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
    Resource: database.captureSecretArn,
  });
  const writer = roleFor(`${name}-target`, "dms.amazonaws.com", child, {
    Sid: "WriteStream",
    Action: ["kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords"],
    Resource: stream.arn,
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
        streamArn: stream.arn,
        serviceAccessRoleArn: writer.role.arn,
        messageFormat: "json-unformatted",
        includeTransactionDetails: true,
        includePartitionValue: true,
        includeNullAndEmpty: true,
      },
    },
    { ...child, dependsOn: [writer.policy] },
  );
  const instance = new aws.dms.ReplicationInstance(
    `${name}-instance`,
    {
      replicationInstanceId: id,
      replicationInstanceClass,
      engineVersion: ENGINE_VERSION,
      allocatedStorage: 50,
      publiclyAccessible: false,
      autoMinorVersionUpgrade: true,
    },
    child,
  );
  new aws.dms.ReplicationTask(
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
