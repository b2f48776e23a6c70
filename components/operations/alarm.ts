import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

export interface AlarmArgs {
  /** What it means, for the person on call. */
  description: string;
  /** Namespace of a metric that AWS publishes, e.g. "AWS/SQS". */
  namespace: string;
  metricName: string;
  dimensions: Record<string, pulumi.Input<string>>;
  statistic: "Maximum" | "Sum";
  /** The alarm is raised above this. */
  threshold: number;
  periodSeconds: number;
  /** Consecutive periods above the threshold. @default 1 */
  periods?: number;
  /** How a period without data counts. @default "notBreaching" */
  missing?: "breaching" | "notBreaching";
  /** SNS topic to notify; undefined: CloudWatch shows the alarm and notifies nobody. */
  topicArn: string | undefined;
}

/** Declares an alarm on a metric that is too high. */
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
      comparisonOperator: "GreaterThanThreshold",
      threshold,
      period: args.periodSeconds,
      evaluationPeriods: args.periods ?? 1,
      treatMissingData: args.missing ?? "notBreaching",
      alarmActions: topicArn ? [topicArn] : [],
    },
    opts,
  );
}
