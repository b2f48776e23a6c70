import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { EventBus } from "../event-bus";
import { DEFAULT_TIMEOUT_SECONDS, HandlerFunction } from "../function/handler-function";
import type { VariableName, Handler } from "../../runtime/function/handler";
import type { FunctionEnvironment } from "../function/access";
import type { Network } from "../monolith/network";
import { allowRule, type PolicyStatement } from "../function/policy";
import { parkingQueue } from "../operations/parking-queue";

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
/** Shorter than the dead-letter queue's, in which a message keeps its age. */
const QUEUE_RETENTION_SECONDS = 4 * 86_400;
/** AWS recommends six times the function's timeout. */
const VISIBILITY_TIMEOUT_SECONDS = 6 * DEFAULT_TIMEOUT_SECONDS;
const BATCH_SIZE = 10;
/** The most that EventBridge allows: 24 hours, 185 attempts. */
const TARGET_RETRY = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };

/**
 * One subscription of one domain: rule -> queue -> function. Messages that the function keeps refusing go to the
 * queue's dead-letter queue, events that EventBridge cannot deliver to the target's.
 */
export class Subscription<V extends VariableName = VariableName> extends pulumi.ComponentResource {
  readonly queueUrl: pulumi.Output<string>;
  /** The queue with messages that the function kept refusing. */
  readonly deadLetterUrl: pulumi.Output<string>;
  /** The queue with events that EventBridge could not deliver. */
  readonly targetDeadLetterUrl: pulumi.Output<string>;

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
        messageRetentionSeconds: QUEUE_RETENTION_SECONDS,
        sqsManagedSseEnabled: true,
        redrivePolicy: pulumi.jsonStringify({
          deadLetterTargetArn: deadLetters.arn,
          maxReceiveCount: MAX_RECEIVES,
        }),
      },
      child,
    );
    const rule = new aws.cloudwatch.EventRule(
      `${name}-rule`,
      {
        eventBusName: args.bus.name,
        // Replayed events carry "replay-name"; only a rule that is made for the replay delivers them.
        eventPattern: JSON.stringify({
          source: [args.source],
          "detail-type": [...args.eventTypes].sort(),
          "replay-name": [{ exists: false }],
        }),
      },
      child,
    );
    const policies = [queue, targetDeadLetters].map(
      (to, index) =>
        new aws.sqs.QueuePolicy(
          `${name}-${index === 0 ? "queue" : "target-dlq"}-policy`,
          { queueUrl: to.url, policy: allowRule(to.arn, rule.arn) },
          child,
        ),
    );
    new aws.cloudwatch.EventTarget(
      `${name}-target`,
      {
        eventBusName: args.bus.name,
        rule: rule.name,
        arn: queue.arn,
        deadLetterConfig: { arn: targetDeadLetters.arn },
        retryPolicy: TARGET_RETRY,
      },
      { ...child, dependsOn: policies },
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
