import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { makeRetentionHandler } from "../../runtime/retention/handler";
import { alarm } from "../operations/alarm";
import { HandlerFunction } from "../function/handler-function";
import { INBOX_RETENTION_DAYS } from "../inbox-retention";
import { type MonolithDatabase, useDatabase } from "./database";

/** Arguments of a `Retention`. */
export interface RetentionArgs {
  database: MonolithDatabase;
  /** Days that the outbox keeps its rows. */
  outboxRetentionDays: number;
  /** Days that the inbox keeps its records; 19 at least, see migration 0002. @default as a microservice's: 30 */
  inboxRetentionDays?: number;
  /** When it runs, as EventBridge spells it. @default "rate(1 hour)" */
  schedule?: string;
  logRetentionDays: number;
  alarmTopicArn: string | undefined;
}

const HOURLY = "rate(1 hour)";
/** At 500 rows a second, unless they are large, some 130,000 an hour: 3 million events a day. */
const TIMEOUT_SECONDS = 300;
const HOUR_SECONDS = 3_600;

/** A function on a schedule that removes old rows of the monolith's outbox and inbox, as DynamoDB's time to live does elsewhere. */
export class Retention extends pulumi.ComponentResource {
  /** Name of the function, to run it by hand. */
  readonly functionName: pulumi.Output<string>;

  constructor(name: string, args: RetentionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("domain-consistency:components:Retention", name, {}, opts);
    const child = { parent: this };
    const { environment, ...access } = useDatabase(args.database, args.database.retentionSecretArn);
    const handler = new HandlerFunction(
      name,
      {
        owner: "the monolith's retention",
        handler: makeRetentionHandler(),
        environment: {
          ...environment,
          OUTBOX_RETENTION_DAYS: String(args.outboxRetentionDays),
          INBOX_RETENTION_DAYS: String(args.inboxRetentionDays ?? INBOX_RETENTION_DAYS),
        },
        ...access,
        timeoutSeconds: TIMEOUT_SECONDS,
        logRetentionDays: args.logRetentionDays,
      },
      child,
    );
    const rule = new aws.cloudwatch.EventRule(
      `${name}-schedule`,
      { description: "Removes old rows", scheduleExpression: args.schedule ?? HOURLY },
      child,
    );
    const permission = new aws.lambda.Permission(
      `${name}-permission`,
      {
        action: "lambda:InvokeFunction",
        function: handler.name,
        principal: "events.amazonaws.com",
        sourceArn: rule.arn,
      },
      child,
    );
    // No dead-letter queue: the next run does what a failed one has not done.
    new aws.cloudwatch.EventTarget(
      `${name}-target`,
      { rule: rule.name, arn: handler.arn },
      { ...child, dependsOn: [permission] },
    );
    alarm(
      `${name}-alarm`,
      {
        description: `Old rows of the monolith's outbox are kept: ${name} fails, or they are not captured.`,
        namespace: "AWS/Lambda",
        metricName: "Errors",
        dimensions: { FunctionName: handler.name },
        statistic: "Sum",
        threshold: 0,
        periodSeconds: HOUR_SECONDS,
        topicArn: args.alarmTopicArn,
      },
      child,
    );
    this.functionName = handler.name;
    this.registerOutputs({ functionName: this.functionName });
  }
}
