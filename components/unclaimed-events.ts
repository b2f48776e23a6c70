import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { EventBus } from "./event-bus";
import { allowRule } from "./function/policy";
import { LONGEST_PATTERN } from "./subscription/event-patterns";
import { parkingQueue } from "./operations/parking-queue";

export interface UnclaimedEventsArgs {
  bus: EventBus;
  /** Domain -> the event types of its contracts. Each has subscriptions, or is known to have none. */
  known: Readonly<Record<string, readonly string[]>>;
  /** The targets of all subscriptions, after which the rules here are created and updated. */
  subscribed: pulumi.Resource[];
  alarmTopicArn: string | undefined;
}

/** As a subscription's. */
const TARGET_RETRY = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };
/** Replayed events are delivered only by rules that are made for the replay. */
const NOT_REPLAYED = { "replay-name": [{ exists: false }] };

/**
 * Keeps the events that nobody can have subscribed to, because no contract of this stack knows them: of another
 * source than the domains, or of a type that its domain does not have. Without this, the bus would drop them without a
 * trace. They wait in a queue with an alarm.
 *
 * On an update the rules here change after the subscriptions' rules, so an event type that is new in the contracts is
 * taken by this component until its subscriptions take it.
 */
export class UnclaimedEvents extends pulumi.ComponentResource {
  readonly queueUrl: pulumi.Output<string>;
  /** What delivers the events to the queue. */
  readonly targets: pulumi.Resource[];

  constructor(name: string, args: UnclaimedEventsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("domain-consistency:components:UnclaimedEvents", name, {}, opts);
    const child = { parent: this };
    const { bus, subscribed, alarmTopicArn } = args;
    const description =
      "Events that no contract of the stack knows are waiting in the queue of unclaimed events.";
    const queue = parkingQueue(`${name}-queue`, { alarmTopicArn, alarm: description }, child);
    const rules = unclaimedPatterns(args.known).map(({ of, pattern }) => {
      const logicalName = of === undefined ? name : `${name}-of-${of}`;
      const rule = new aws.cloudwatch.EventRule(
        `${logicalName}-rule`,
        { eventBusName: bus.name, eventPattern: JSON.stringify(pattern) },
        { ...child, dependsOn: subscribed },
      );
      return { logicalName, rule };
    });
    const policy = new aws.sqs.QueuePolicy(
      `${name}-queue-policy`,
      {
        queueUrl: queue.url,
        policy: allowRule(
          queue.arn,
          rules.map(({ rule }) => rule.arn),
        ),
      },
      child,
    );
    this.targets = rules.map(
      ({ logicalName, rule }) =>
        new aws.cloudwatch.EventTarget(
          `${logicalName}-target`,
          { eventBusName: bus.name, rule: rule.name, arn: queue.arn, retryPolicy: TARGET_RETRY },
          { ...child, dependsOn: [policy] },
        ),
    );
    this.queueUrl = queue.url;
    this.registerOutputs({ queueUrl: this.queueUrl });
  }
}

interface UnclaimedPattern {
  /** The domain whose unknown types it matches; undefined: all sources that are not a domain. */
  of?: string;
  pattern: object;
}

/**
 * The patterns of what is unclaimed: one for each domain that has events, and one for all other sources. One pattern
 * for all would soon exceed the 2,048 characters that EventBridge allows.
 */
function unclaimedPatterns(known: UnclaimedEventsArgs["known"]): UnclaimedPattern[] {
  const domains = Object.entries(known).filter(([, types]) => types.length > 0);
  const sources = domains.map(([domain]) => domain).sort();
  const other = sources.length > 0 ? { "anything-but": sources } : { prefix: "" };
  return [
    { pattern: { source: [other], ...NOT_REPLAYED } },
    ...domains
      .map(([domain, types]) => ({
        of: domain,
        pattern: {
          source: [domain],
          "detail-type": [{ "anything-but": [...new Set(types)].sort() }],
          ...NOT_REPLAYED,
        },
      }))
      // A domain with more types than fit has no such rule; its relay publishes known types only.
      .filter(({ pattern }) => JSON.stringify(pattern).length <= LONGEST_PATTERN),
  ];
}
