import {
  PutMetricAlarmCommand,
  type ComparisonOperator,
  type Dimension,
  type MetricDataQuery,
  type StandardUnit,
  type Statistic,
} from "@aws-sdk/client-cloudwatch";
import type * as aws from "@pulumi/aws";
import { arnOf, resourceKind, tagList, type PlainInputs } from "../resource-kind";

type Query = NonNullable<PlainInputs<aws.cloudwatch.MetricAlarmArgs>["metricQueries"]>[number];

export const metricAlarm = resourceKind<aws.cloudwatch.MetricAlarmArgs>({
  type: "aws:cloudwatch/metricAlarm:MetricAlarm",
  naming: { input: "name", limit: 255 },
  caveat:
    "created, but the emulator has few of AWS's own metrics and does not tell dimensions apart: its state says nothing.",
  effective: [
    "name",
    "actionsEnabled",
    "alarmActions",
    "alarmDescription",
    "comparisonOperator",
    "datapointsToAlarm",
    "dimensions",
    "evaluateLowSampleCountPercentiles",
    "evaluationPeriods",
    "extendedStatistic",
    "insufficientDataActions",
    "metricName",
    "metricQueries",
    "namespace",
    "okActions",
    "period",
    "statistic",
    "tags",
    "threshold",
    "thresholdMetricId",
    "treatMissingData",
    "unit",
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
        ActionsEnabled: inputs.actionsEnabled,
        AlarmActions: inputs.alarmActions?.map(String),
        OKActions: inputs.okActions?.map(String),
        InsufficientDataActions: inputs.insufficientDataActions?.map(String),
        MetricName: inputs.metricName,
        Namespace: inputs.namespace,
        // The emulator refuses a statistic, unit or operator that CloudWatch does not have.
        Statistic: inputs.statistic as Statistic | undefined,
        ExtendedStatistic: inputs.extendedStatistic,
        Dimensions: dimensionList(inputs.dimensions),
        Period: inputs.period,
        Unit: inputs.unit as StandardUnit | undefined,
        EvaluationPeriods: inputs.evaluationPeriods,
        DatapointsToAlarm: inputs.datapointsToAlarm,
        Threshold: inputs.threshold,
        ThresholdMetricId: inputs.thresholdMetricId,
        ComparisonOperator: inputs.comparisonOperator as ComparisonOperator | undefined,
        TreatMissingData: inputs.treatMissingData,
        EvaluateLowSampleCountPercentile: inputs.evaluateLowSampleCountPercentiles,
        Metrics: inputs.metricQueries?.map(metricDataQuery),
        Tags: tagList(inputs.tags),
      }),
    );
  },
});

function dimensionList(dimensions: Record<string, string> | undefined): Dimension[] | undefined {
  return dimensions && Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
}

function metricDataQuery(query: Query): MetricDataQuery {
  return {
    Id: query.id,
    Expression: query.expression,
    Label: query.label,
    Period: query.period,
    ReturnData: query.returnData,
    AccountId: query.accountId,
    MetricStat: query.metric && {
      Metric: {
        MetricName: query.metric.metricName,
        Namespace: query.metric.namespace,
        Dimensions: dimensionList(query.metric.dimensions),
      },
      Period: query.metric.period,
      Stat: query.metric.stat,
      Unit: query.metric.unit as StandardUnit | undefined,
    },
  };
}
