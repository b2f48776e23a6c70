import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { alarm } from "./alarm";
import { MAX_RETENTION_SECONDS, queueAgeAlarm } from "./queue-age";

/** How long a message may wait for a person before the second alarm: half of what the queue keeps it. */
const FORGOTTEN_SECONDS = MAX_RETENTION_SECONDS / 2;

export interface ParkingQueueArgs {
  alarmTopicArn: string | undefined;
  /** Description of the alarm on the first message: what happened. */
  alarm: string;
}

/**
 * Declares a queue in which messages wait for a person: kept as long as SQS can, encrypted, with an alarm on the
 * first message and another one on a message that has waited for 7 of the 14 days.
 */
export function parkingQueue(
  name: string,
  args: ParkingQueueArgs,
  opts: pulumi.CustomResourceOptions,
): aws.sqs.Queue {
  const queue = new aws.sqs.Queue(
    name,
    { messageRetentionSeconds: MAX_RETENTION_SECONDS, sqsManagedSseEnabled: true },
    opts,
  );
  alarm(
    `${name}-alarm`,
    {
      description: args.alarm,
      namespace: "AWS/SQS",
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: queue.name },
      statistic: "Maximum",
      threshold: 0,
      periodSeconds: 60,
      topicArn: args.alarmTopicArn,
    },
    opts,
  );
  queueAgeAlarm(
    `${name}-age-alarm`,
    {
      description: `Messages have waited for a week in ${name}, and SQS deletes them after two.`,
      queue,
      thresholdSeconds: FORGOTTEN_SECONDS,
      topicArn: args.alarmTopicArn,
    },
    opts,
  );
  return queue;
}
