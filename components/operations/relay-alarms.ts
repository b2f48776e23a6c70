import * as pulumi from "@pulumi/pulumi";
import { alarm } from "./alarm";

export interface RelayAlarmsArgs {
  functionName: pulumi.Output<string>;
  /** ARN of the Kinesis or DynamoDB stream that the relay reads. */
  streamArn: pulumi.Input<string>;
  topicArn: string | undefined;
}

/** Alarm threshold for events waiting in the outbox. */
const ITERATOR_AGE_MILLISECONDS = 60_000;
const PERIOD_SECONDS = 300;
/** 15 minutes: a new function version or a resharded stream interrupts the reads for less. */
const PERIODS = 3;

/**
 * Declares the alarms on a relay. Which of them reports what:
 *
 * - age: the relay runs and makes no progress. Lambda publishes the iterator age with each invocation only, so a
 *   period without data counts as good here, and is watched by the other two.
 * - reads: nobody reads the stream, because the mapping is disabled or deleted, or its permission is gone. Lambda
 *   polls each shard once a second (Kinesis) or four times a second (DynamoDB) whether or not there are records,
 *   so an idle system is not silent, and a period without data counts as bad. Source: AWS Lambda developer guide,
 *   "Polling and batching streams".
 * - throttles: Lambda has records and may not invoke the function: its reserved concurrency, or the account's,
 *   is used up.
 */
export function relayAlarms(
  name: string,
  { functionName, streamArn, topicArn }: RelayAlarmsArgs,
  opts: pulumi.CustomResourceOptions,
): void {
  const reads = pulumi.output(streamArn).apply(readsOf);
  const ofFunction = { namespace: "AWS/Lambda", dimensions: { FunctionName: functionName }, topicArn };
  alarm(
    `${name}-age-alarm`,
    {
      ...ofFunction,
      description: `Events are waiting in the outbox: ${name} makes no progress.`,
      metricName: "IteratorAge",
      statistic: "Maximum",
      threshold: ITERATOR_AGE_MILLISECONDS,
      periodSeconds: 60,
      periods: 3,
    },
    opts,
  );
  alarm(
    `${name}-reads-alarm`,
    {
      namespace: reads.namespace,
      metricName: reads.metricName,
      dimensions: reads.dimensions,
      statistic: reads.statistic,
      description: `${name} does not run: nobody reads its stream. Events wait in the stream until it deletes them.`,
      threshold: 1,
      raised: "below",
      periodSeconds: PERIOD_SECONDS,
      periods: PERIODS,
      missing: "breaching",
      topicArn,
    },
    opts,
  );
  alarm(
    `${name}-throttles-alarm`,
    {
      ...ofFunction,
      description: `${name} does not run: Lambda may not invoke it often enough (concurrency).`,
      metricName: "Throttles",
      statistic: "Sum",
      threshold: 0,
      periodSeconds: PERIOD_SECONDS,
      periods: PERIODS,
    },
    opts,
  );
}

/** The metric that counts the successful reads of a stream, also of one that has no records. */
interface StreamReads {
  namespace: string;
  metricName: string;
  dimensions: Record<string, string>;
  statistic: "Sum" | "SampleCount";
}

/** @param arn arn:<partition>:kinesis:...:stream/<name> or arn:<partition>:dynamodb:...:table/<name>/stream/<label> */
function readsOf(arn: string): StreamReads {
  const [, tableName = "", streamLabel = ""] = /:table\/([^/]+)\/stream\/(.+)$/.exec(arn) ?? [];
  if (tableName === "") {
    const streamName = arn.split("/").at(-1) ?? "";
    return {
      namespace: "AWS/Kinesis",
      metricName: "GetRecords.Success",
      dimensions: { StreamName: streamName },
      statistic: "Sum",
    };
  }
  return {
    namespace: "AWS/DynamoDB",
    // The latency of each successful call: the number of its values is the number of calls.
    metricName: "SuccessfulRequestLatency",
    dimensions: { TableName: tableName, Operation: "GetRecords", StreamLabel: streamLabel },
    statistic: "SampleCount",
  };
}
