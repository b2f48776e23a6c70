import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { MonolithModule } from "../../runtime/define/domain";
import { makeKinesisRelay } from "../../runtime/relay/kinesis-relay";
import { eventsOf } from "../../runtime/relay/known-events";
import type { MonolithDatabase } from "./database";
import type { EventBus } from "../event-bus";
import { Relay } from "../function/relay";
import type { Routes } from "../function/routes";
import { replicate } from "./replication";

export interface ChangeDataCaptureArgs {
  database: MonolithDatabase;
  bus: EventBus;
  /** The modules whose events are captured. */
  modules: MonolithModule[];
  /** Shards of the stream. */
  streamShards: number;
  /** Hours that the stream keeps records. */
  streamRetentionHours: number;
  /** E.g. "dms.t3.micro". */
  replicationInstanceClass: string;
  /** What must stand before the relay publishes anything. @default nothing */
  routes?: Routes | undefined;
  /** Refuse to delete the relay's table of holds. */
  deletionProtection: boolean;
  logRetentionDays: number;
  alarmTopicArn: string | undefined;
}

/**
 * Captures the monolith's outbox: AWS DMS reads the replication slot and writes to Kinesis, and a relay publishes
 * from there.
 */
export class ChangeDataCapture extends pulumi.ComponentResource {
  readonly streamArn: pulumi.Output<string>;
  readonly quarantineUrl: pulumi.Output<string>;
  readonly holdsTable: pulumi.Output<string>;
  /** The relay. */
  readonly relay: pulumi.Resource;

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
    const { database, replicationInstanceClass, alarmTopicArn } = args;
    replicate(name, { database, streamArn: stream.arn, replicationInstanceClass, alarmTopicArn }, child);
    const relay = new Relay(
      `${name}-relay`,
      {
        owner: "the monolith's relay",
        handler: makeKinesisRelay(eventsOf(args.modules)),
        bus: args.bus,
        domains: args.modules.map((module) => module.name),
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
        routes: args.routes,
        // No filter: with one, Lambda drops what is not JSON, and the relay must quarantine it.
        filters: [],
        deletionProtection: args.deletionProtection,
        logRetentionDays: args.logRetentionDays,
        alarmTopicArn: args.alarmTopicArn,
      },
      child,
    );
    this.streamArn = stream.arn;
    this.quarantineUrl = relay.quarantineUrl;
    this.holdsTable = relay.holdsTable;
    this.relay = relay;
    this.registerOutputs({ streamArn: this.streamArn });
  }
}
