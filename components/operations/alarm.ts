import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";

/** Arguments of an `alarm`. */
export interface AlarmArgs {
  /** What it means, for who is woken by it. */
  description: string;
  /** A metric of AWS's own, e.g. of "AWS/SQS". */
  namespace: string;
  metricName: string;
  dimensions: Record<string, pulumi.Input<string>>;
  statistic: "Maximum" | "Sum";
  /** It goes off above this. */
  threshold: number;
  periodSeconds: number;
  /** Periods in a row that are above. @default 1 */
  periods?: number;
  /** What a period without a figure counts as. @default "notBreaching" */
  missing?: "breaching" | "notBreaching";
  /** SNS topic that is told; undefined: nobody is, the alarm is only shown. */
  topicArn: string | undefined;
}

/** An alarm on a metric that is too high. */
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
