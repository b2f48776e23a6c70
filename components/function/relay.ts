import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { RelayHandler } from "../../runtime/relay/relay-batch";
import { alarm } from "../operations/alarm";
import type { EventBus } from "../event-bus";
import { HandlerFunction } from "./handler-function";
import type { PolicyStatement } from "./policy";
import { parkingQueue } from "../operations/parking-queue";
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
  /** Refuse to delete its table of holds. */
  deletionProtection: boolean;
  logRetentionDays: number;
  alarmTopicArn: string | undefined;
}

/** Records per batch; a relay publishes ten at a time. */
const BATCH_SIZE = 100;
/** Alarm threshold for events waiting in the outbox. */
const ITERATOR_AGE_ALARM_MILLISECONDS = 60_000;

/**
 * A function that publishes what a stream captured of an outbox. It retries indefinitely, so that order is kept and
 * nothing is lost; an alarm on the iterator age reports a relay that makes no progress. Records that cannot be
 * published are quarantined, and their aggregates are held (runtime/relay/holds.ts).
 */
export class Relay extends pulumi.ComponentResource {
  /** URL of the queue with records that could not be published. */
  readonly quarantineUrl: pulumi.Output<string>;
  /** Its function. It quarantines event types that it does not know, so deploy it before what raises a new one. */
  readonly function: pulumi.Resource;
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
      { ...child, dependsOn: [handler.policy] },
    );
    alarm(
      `${name}-age-alarm`,
      {
        description: `Events are waiting in the outbox: ${name} makes no progress.`,
        namespace: "AWS/Lambda",
        metricName: "IteratorAge",
        dimensions: { FunctionName: handler.name },
        statistic: "Maximum",
        threshold: ITERATOR_AGE_ALARM_MILLISECONDS,
        periodSeconds: 60,
        periods: 3,
        topicArn: alarmTopicArn,
      },
      child,
    );
    this.function = handler;
    this.quarantineUrl = quarantine.url;
    this.holdsTable = holds.name;
    this.registerOutputs({ quarantineUrl: this.quarantineUrl, holdsTable: this.holdsTable });
  }
}

function filterCriteria(patterns: object[]): Pick<aws.lambda.EventSourceMappingArgs, "filterCriteria"> {
  if (patterns.length === 0) return {};
  return { filterCriteria: { filters: patterns.map((pattern) => ({ pattern: JSON.stringify(pattern) })) } };
}
