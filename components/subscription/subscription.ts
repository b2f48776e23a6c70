import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { EventBus } from "../event-bus";
import { DEFAULT_TIMEOUT_SECONDS, HandlerFunction } from "../function/handler-function";
import type { VariableName, Handler } from "../../runtime/function/handler";
import type { FunctionEnvironment } from "../function/access";
import type { Network } from "../monolith/network";
import { allowRule, type PolicyStatement } from "../function/policy";
import { eventPatterns } from "./event-patterns";
import { alarm } from "../operations/alarm";
import { parkingQueue } from "../operations/parking-queue";
import { MAX_RETENTION_SECONDS, queueAgeAlarm } from "../operations/queue-age";

export interface SubscriptionArgs<V extends VariableName> {
  /** Names the subscription in errors, e.g. `domain "orders", subscription "customers"`. */
  owner: string;
  bus: EventBus;
  /** The domain whose events are subscribed to. */
  source: string;
  /** The event types. */
  eventTypes: string[];
  handler: Handler<V>;
  /** The environment variables that the handler reads. */
  environment: FunctionEnvironment<V>;
  /** What the function may do in addition to receiving from its queue. */
  statements: pulumi.Input<PolicyStatement>[];
  /** The network to attach the function to. @default none */
  network?: Network | undefined;
  /** What must be deployed before the function's new code. @default nothing */
  after?: pulumi.Resource[] | undefined;
  /** Concurrent invocations; 2 or more. @default the account's limit */
  maximumConcurrency?: number;
  logRetentionDays: number;
  alarmTopicArn: string | undefined;
}

/** Receives before a message goes to the dead-letter queue. AWS recommends 5 or more for queues read by Lambda. */
const MAX_RECEIVES = 5;
/** AWS recommends six times the function's timeout. */
const VISIBILITY_TIMEOUT_SECONDS = 6 * DEFAULT_TIMEOUT_SECONDS;
/**
 * A refused message leaves the queue for its dead-letter queue after 15 minutes. One that is twice as old was not
 * received: the mapping or its permission is gone, or the function does not keep up.
 */
const WAITING_SECONDS = 2 * MAX_RECEIVES * VISIBILITY_TIMEOUT_SECONDS;
const BATCH_SIZE = 10;
/**
 * The most that EventBridge allows: 24 hours, 185 attempts. Without a permission, or without the queue, an event goes
 * to the target's dead-letter queue at once. Source: Amazon EventBridge user guide, "Using dead-letter queues".
 */
const TARGET_RETRY = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };

/**
 * One subscription of one domain: rule -> queue -> function, with several rules where the event types need them. Messages that the function keeps refusing go to the
 * queue's dead-letter queue, events that EventBridge cannot deliver to the target's.
 */
export class Subscription<V extends VariableName = VariableName> extends pulumi.ComponentResource {
  readonly queueUrl: pulumi.Output<string>;
  /** The queue with messages that the function kept refusing. */
  readonly deadLetterUrl: pulumi.Output<string>;
  /** The queue with events that EventBridge could not deliver. */
  readonly targetDeadLetterUrl: pulumi.Output<string>;
  /** What delivers the events to the queue: a target for each rule. They depend on rule, queue and policies. */
  readonly targets: pulumi.Resource[];

  constructor(name: string, args: SubscriptionArgs<V>, opts?: pulumi.ComponentResourceOptions) {
    super("domain-consistency:components:Subscription", name, {}, opts);
    const child = { parent: this };
    const { alarmTopicArn } = args;
    const refused = `Messages that ${name} refused are waiting in its dead-letter queue.`;
    const deadLetters = parkingQueue(`${name}-dlq`, { alarmTopicArn, alarm: refused }, child);
    const undelivered = `Events that could not be delivered to ${name} are waiting in the target's dead-letter queue.`;
    const targetDeadLetters = parkingQueue(
      `${name}-target-dlq`,
      { alarmTopicArn, alarm: undelivered },
      child,
    );
    const queue = new aws.sqs.Queue(
      `${name}-queue`,
      {
        visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
        // As long as the dead-letter queue, in which a message keeps its age: 14 days in both together.
        messageRetentionSeconds: MAX_RETENTION_SECONDS,
        sqsManagedSseEnabled: true,
        redrivePolicy: pulumi.jsonStringify({
          deadLetterTargetArn: deadLetters.arn,
          maxReceiveCount: MAX_RECEIVES,
        }),
      },
      child,
    );
    queueAgeAlarm(
      `${name}-queue-age-alarm`,
      {
        description: `Messages wait for ${name}: its function is not invoked or does not keep up. SQS deletes them after 14 days.`,
        queue,
        thresholdSeconds: WAITING_SECONDS,
        topicArn: alarmTopicArn,
      },
      child,
    );
    const policies = [queue, targetDeadLetters].map(
      (to, index) =>
        new aws.sqs.QueuePolicy(
          `${name}-${index === 0 ? "queue" : "target-dlq"}-policy`,
          { queueUrl: to.url, policy: allowRule(to.arn, args.bus.rules(`${name}-rule-*`)) },
          child,
        ),
    );
    // From the last rule to the first: when their number grows, a later rule takes its types before an earlier one
    // gives them up. (When it shrinks, Pulumi deletes last.)
    this.targets = eventPatterns(args.owner, args.source, args.eventTypes).reduceRight<pulumi.Resource[]>(
      (later, { number, pattern }) => {
        const ending = number === 1 ? "" : `-${number}`;
        const rule = new aws.cloudwatch.EventRule(
          `${name}-rule${ending}`,
          { eventBusName: args.bus.name, eventPattern: pattern },
          { ...child, dependsOn: later },
        );
        const target = new aws.cloudwatch.EventTarget(
          `${name}-target${ending}`,
          {
            eventBusName: args.bus.name,
            rule: rule.name,
            arn: queue.arn,
            deadLetterConfig: { arn: targetDeadLetters.arn },
            retryPolicy: TARGET_RETRY,
          },
          { ...child, dependsOn: policies },
        );
        alarm(
          `${name}-lost-alarm${ending}`,
          {
            description: `EventBridge dropped an event for ${name}: neither its queue nor the target's dead-letter queue took it.`,
            namespace: "AWS/Events",
            metricName: "InvocationsFailedToBeSentToDlq",
            dimensions: { EventBusName: args.bus.name, RuleName: rule.name },
            statistic: "Sum",
            threshold: 0,
            periodSeconds: 60,
            topicArn: alarmTopicArn,
          },
          child,
        );
        return [...later, target];
      },
      [],
    );
    const handler = new HandlerFunction(
      name,
      {
        owner: args.owner,
        handler: args.handler,
        environment: args.environment,
        network: args.network,
        statements: [
          {
            Sid: "ReceiveMessages",
            Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            Resource: queue.arn,
          },
          ...args.statements,
        ],
        logRetentionDays: args.logRetentionDays,
        after: args.after,
      },
      child,
    );
    new aws.lambda.EventSourceMapping(
      `${name}-source`,
      {
        eventSourceArn: queue.arn,
        functionName: handler.arn,
        batchSize: BATCH_SIZE,
        functionResponseTypes: ["ReportBatchItemFailures"],
        ...(args.maximumConcurrency
          ? { scalingConfig: { maximumConcurrency: args.maximumConcurrency } }
          : {}),
      },
      { ...child, dependsOn: [handler.policy] },
    );
    this.queueUrl = queue.url;
    this.deadLetterUrl = deadLetters.url;
    this.targetDeadLetterUrl = targetDeadLetters.url;
    this.registerOutputs({ queueUrl: this.queueUrl, deadLetterUrl: this.deadLetterUrl });
  }
}
