import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { alarm } from "./alarm";

/** The longest that SQS keeps a message: 14 days. */
export const MAX_RETENTION_SECONDS = 14 * 86_400;

/**
 * Declares a queue in which messages wait for a person: kept as long as SQS can, encrypted, with an alarm on the
 * first one.
 */
export function parkingQueue(
  name: string,
  args: { alarmTopicArn: string | undefined; alarm: string },
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
  return queue;
}
