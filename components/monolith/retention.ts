import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { makeRetentionHandler } from "../../runtime/retention/handler";
import { alarm } from "../operations/alarm";
import { HandlerFunction } from "../function/handler-function";
import { INBOX_RETENTION_DAYS } from "../inbox-retention";
import { type MonolithDatabase, useDatabase } from "./database";

export interface RetentionArgs {
  database: MonolithDatabase;
  /** Days that outbox rows are kept. */
  outboxRetentionDays: number;
  /**
   * Days that inbox records are kept; the database refuses less than 19, and a redrive needs more.
   * @default 30, as a microservice's
   */
  inboxRetentionDays?: number;
  /**
   * When it runs, as an EventBridge schedule expression; at least every 3 hours, or an alarm reports that it does
   * not run. @default "rate(1 hour)"
   */
  schedule?: string;
  logRetentionDays: number;
  alarmTopicArn: string | undefined;
}

const HOURLY = "rate(1 hour)";
/** At 500 rows a second, unless they are large, a run removes about 130,000: 3 million events a day. */
const TIMEOUT_SECONDS = 300;
const HOUR_SECONDS = 3_600;
/** Hours without a run until the alarm is raised. */
const SILENT_HOURS = 3;

/** A scheduled function that removes old rows of the monolith's outbox and inbox, as time to live does in DynamoDB. */
export class Retention extends pulumi.ComponentResource {
  /** Name of the function, for a manual run. */
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
    // No dead-letter queue: the next run catches up on a failed one.
    new aws.cloudwatch.EventTarget(
      `${name}-target`,
      { rule: rule.name, arn: handler.arn },
      { ...child, dependsOn: [permission] },
    );
    alarm(
      `${name}-alarm`,
      {
        description: `Old rows of the monolith's outbox are not removed: ${name} fails, or they are not captured yet.`,
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
    alarm(
      `${name}-runs-alarm`,
      {
        description: `Old rows of the monolith's outbox are not removed: ${name} does not run.`,
        namespace: "AWS/Lambda",
        metricName: "Invocations",
        dimensions: { FunctionName: handler.name },
        statistic: "Sum",
        threshold: 1,
        raised: "below",
        periodSeconds: HOUR_SECONDS,
        periods: SILENT_HOURS,
        missing: "breaching",
        topicArn: args.alarmTopicArn,
      },
      child,
    );
    this.functionName = handler.name;
    this.registerOutputs({ functionName: this.functionName });
  }
}
