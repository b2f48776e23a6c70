import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

export interface AlarmArgs {
  /** What it means, for the person on call. */
  description: string;
  /** Namespace of a metric that AWS publishes, e.g. "AWS/SQS". */
  namespace: pulumi.Input<string>;
  metricName: pulumi.Input<string>;
  dimensions: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** "SampleCount" is the number of values: for a latency, the number of calls. */
  statistic: pulumi.Input<"Maximum" | "Sum" | "SampleCount">;
  /** The alarm is raised beyond this. */
  threshold: number;
  /** On which side of the threshold it is raised. @default "above" */
  raised?: "above" | "below";
  periodSeconds: number;
  /** Consecutive periods beyond the threshold. @default 1 */
  periods?: number;
  /**
   * How a period without data counts. "breaching" where silence means that something does not run.
   * @default "notBreaching"
   */
  missing?: "breaching" | "notBreaching";
  /** SNS topic to notify; undefined: CloudWatch shows the alarm and notifies nobody. */
  topicArn: string | undefined;
}

/** Declares an alarm on a metric that is too high, or too low. */
export function alarm(name: string, args: AlarmArgs, opts: pulumi.CustomResourceOptions): void {
  const { namespace, metricName, dimensions, statistic, threshold, topicArn } = args;
  new aws.cloudwatch.MetricAlarm(
    name,
    {
      alarmDescription: args.description,
      namespace,
      metricName,
      dimensions,
      statistic,
      comparisonOperator: args.raised === "below" ? "LessThanThreshold" : "GreaterThanThreshold",
      threshold,
      period: args.periodSeconds,
      evaluationPeriods: args.periods ?? 1,
      treatMissingData: args.missing ?? "notBreaching",
      alarmActions: topicArn ? [topicArn] : [],
    },
    opts,
  );
}
