import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { RelayHandler } from "../../runtime/relay/relay-batch";
import type { EventBus } from "../event-bus";
import { parkingQueue } from "../operations/parking-queue";
import { relayAlarms } from "../operations/relay-alarms";
import { HandlerFunction } from "./handler-function";
import type { PolicyStatement } from "./policy";
import type { Routes } from "./routes";
import { table } from "../table";

export interface RelayArgs {
  /** Names the relay in errors, e.g. `domain "orders", relay`. */
  owner: string;
  handler: RelayHandler;
  bus: EventBus;
  /** The domains whose events it publishes; the handler knows the same. */
  domains: string[];
  /** ARN of the Kinesis or DynamoDB stream. */
  streamArn: pulumi.Input<string>;
  /** Allows the function to read the stream. */
  reading: PolicyStatement;
  /** Filter patterns: records that match none are not delivered; empty: all are. The handler does not rely on them. */
  filters: object[];
  /** What must stand before the relay publishes anything. @default nothing */
  routes?: Routes | undefined;
  /** Refuse to delete its table of holds. */
  deletionProtection: boolean;
  logRetentionDays: number;
  alarmTopicArn: string | undefined;
}

/** Records per batch; a relay publishes ten at a time. */
const BATCH_SIZE = 100;

/**
 * A function that publishes what a stream captured of an outbox. It retries for as long as the stream keeps the
 * records, so that order is kept; alarms report a relay that makes no progress or does not run at all. Records
 * that cannot be published are quarantined, and their aggregates are held (runtime/relay/holds.ts). It quarantines
 * event types that it does not know, so what raises events depends on it.
 */
export class Relay extends pulumi.ComponentResource {
  /** URL of the queue with records that could not be published. */
  readonly quarantineUrl: pulumi.Output<string>;
  /** Name of the table of holds. */
  readonly holdsTable: pulumi.Output<string>;

  constructor(name: string, args: RelayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("domain-consistency:components:Relay", name, {}, opts);
    const child = { parent: this };
    const { alarmTopicArn, bus, logRetentionDays } = args;
    const quarantined = `Records that ${name} cannot publish are waiting in its quarantine queue.`;
    const quarantine = parkingQueue(`${name}-quarantine`, { alarmTopicArn, alarm: quarantined }, child);
    const holds = table(
      `${name}-holds`,
      { hashKey: "aggregateKey", expires: "expiresAt", deletionProtection: args.deletionProtection },
      child,
    );
    const handler = new HandlerFunction(
      name,
      {
        owner: args.owner,
        handler: args.handler,
        environment: {
          EVENT_BUS_NAME: bus.name,
          QUARANTINE_QUEUE_URL: quarantine.url,
          HOLDS_TABLE: holds.name,
        },
        statements: [
          args.reading,
          bus.publishing(args.domains),
          { Sid: "QuarantineRecords", Action: ["sqs:SendMessage"], Resource: quarantine.arn },
          {
            Sid: "HoldAggregates",
            Action: ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            Resource: holds.arn,
          },
        ],
        logRetentionDays,
      },
      child,
    );
    new aws.lambda.EventSourceMapping(
      `${name}-source`,
      {
        eventSourceArn: args.streamArn,
        functionName: handler.arn,
        startingPosition: "TRIM_HORIZON",
        batchSize: BATCH_SIZE,
        functionResponseTypes: ["ReportBatchItemFailures"],
        bisectBatchOnFunctionError: true,
        maximumRetryAttempts: -1,
        maximumRecordAgeInSeconds: -1,
        ...filterCriteria(args.filters),
      },
      {
        ...child,
        dependsOn: args.routes
          ? pulumi.output(args.routes).apply((all) => [handler.policy, ...all])
          : [handler.policy],
      },
    );
    relayAlarms(
      name,
      { functionName: handler.name, streamArn: args.streamArn, topicArn: alarmTopicArn },
      child,
    );
    this.quarantineUrl = quarantine.url;
    this.holdsTable = holds.name;
    this.registerOutputs({ quarantineUrl: this.quarantineUrl, holdsTable: this.holdsTable });
  }
}

function filterCriteria(patterns: object[]): Pick<aws.lambda.EventSourceMappingArgs, "filterCriteria"> {
  if (patterns.length === 0) return {};
  return { filterCriteria: { filters: patterns.map((pattern) => ({ pattern: JSON.stringify(pattern) })) } };
}
