import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { alarm } from "./alarm";

/** The longest that SQS keeps a message: 14 days. Source: Amazon SQS API, MessageRetentionPeriod. */
export const MAX_RETENTION_SECONDS = 14 * 86_400;

export interface QueueAgeAlarmArgs {
  description: string;
  queue: aws.sqs.Queue;
  /** The alarm is raised when the oldest message is older. */
  thresholdSeconds: number;
  topicArn: string | undefined;
}

const PERIOD_SECONDS = 300;

/**
 * Declares an alarm on the age of a queue's oldest message, well before SQS deletes it. Periods without data count
 * as good: SQS publishes the metric as long as the queue has a message, so silence means an empty queue. In a
 * dead-letter queue the metric counts from the time when the message came there, while its 14 days count from
 * when it was first sent. Source: Amazon SQS developer guide, "Setting-up dead-letter queue retention".
 */
export function queueAgeAlarm(
  name: string,
  { description, queue, thresholdSeconds, topicArn }: QueueAgeAlarmArgs,
  opts: pulumi.CustomResourceOptions,
): void {
  alarm(
    name,
    {
      description,
      namespace: "AWS/SQS",
      metricName: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: queue.name },
      statistic: "Maximum",
      threshold: thresholdSeconds,
      periodSeconds: PERIOD_SECONDS,
      topicArn,
    },
    opts,
  );
}
