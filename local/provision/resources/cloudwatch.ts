import { type ComparisonOperator, PutMetricAlarmCommand, type Statistic } from "@aws-sdk/client-cloudwatch";
import { CreateLogGroupCommand, PutRetentionPolicyCommand } from "@aws-sdk/client-cloudwatch-logs";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind } from "../resource-kind";

export const logGroup = resourceKind<aws.cloudwatch.LogGroupArgs>({
  type: "aws:cloudwatch/logGroup:LogGroup",
  naming: { input: "name", limit: 512 },
  effective: [],
  ineffective: { retentionInDays: "the emulator keeps log lines as long as it runs." },
  identify: ({ physicalName }, scope) => ({
    id: physicalName,
    outputs: { arn: arnOf(scope, "logs", `log-group:${physicalName}`) },
  }),
  create: async ({ physicalName: logGroupName, inputs: { retentionInDays } }, _identified, { logs }) => {
    await logs.send(new CreateLogGroupCommand({ logGroupName }));
    if (retentionInDays) await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
  },
});

export const metricAlarm = resourceKind<aws.cloudwatch.MetricAlarmArgs>({
  type: "aws:cloudwatch/metricAlarm:MetricAlarm",
  naming: { input: "name", limit: 255 },
  caveat:
    "created, but the emulator has few of AWS's own metrics and does not tell dimensions apart: its state says nothing.",
  effective: [
    "alarmActions",
    "alarmDescription",
    "comparisonOperator",
    "dimensions",
    "evaluationPeriods",
    "metricName",
    "namespace",
    "period",
    "statistic",
    "threshold",
    "treatMissingData",
  ],
  identify: ({ physicalName }, scope) => ({
    id: physicalName,
    outputs: { arn: arnOf(scope, "cloudwatch", `alarm:${physicalName}`) },
  }),
  create: async ({ physicalName, inputs }, _identified, { alarms }) => {
    await alarms.send(
      new PutMetricAlarmCommand({
        AlarmName: physicalName,
        AlarmDescription: inputs.alarmDescription,
        AlarmActions: inputs.alarmActions?.map(String),
        MetricName: inputs.metricName,
        Namespace: inputs.namespace,
        // The emulator refuses a statistic or operator that CloudWatch does not have.
        Statistic: inputs.statistic as Statistic | undefined,
        Dimensions: Object.entries(inputs.dimensions ?? {}).map(([Name, Value]) => ({ Name, Value })),
        Period: inputs.period,
        EvaluationPeriods: inputs.evaluationPeriods,
        Threshold: inputs.threshold,
        ComparisonOperator: inputs.comparisonOperator as ComparisonOperator | undefined,
        TreatMissingData: inputs.treatMissingData,
      }),
    );
  },
});
