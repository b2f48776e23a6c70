import type * as pulumi from "@pulumi/pulumi";
import { alarm } from "../operations/alarm";

export interface ReplicationAlarmsArgs {
  /** Identifier of the replication instance. */
  instanceId: string;
  taskArn: pulumi.Output<string>;
  topicArn: string | undefined;
}

/** Alarm threshold, the same as a relay's. AWS DMS takes seconds while it is healthy, but states no figure. */
const LATENCY_SECONDS = 60;
/** DMS may publish its metrics every five minutes only. */
const PERIOD_SECONDS = 300;

const ENDS = [
  { end: "source", metricName: "CDCLatencySource", work: "read the outbox" },
  { end: "target", metricName: "CDCLatencyTarget", work: "write to the stream" },
];

/**
 * Alarms on a replication task that is slow at either end. A task that stopped publishes no latency, so missing
 * data is breaching.
 */
export function replicationAlarms(
  name: string,
  { instanceId, taskArn, topicArn }: ReplicationAlarmsArgs,
  opts: pulumi.CustomResourceOptions,
): void {
  for (const { end, metricName, work } of ENDS) {
    alarm(
      `${name}-${end}-latency-alarm`,
      {
        description: `Events are waiting in the monolith's outbox: the replication task of ${name} is stopped or slow to ${work}.`,
        namespace: "AWS/DMS",
        metricName,
        dimensions: {
          ReplicationInstanceIdentifier: instanceId,
          // Not the task's identifier, but its resource ID: arn:aws:dms:<region>:<account>:task:<this>.
          ReplicationTaskIdentifier: taskArn.apply((arn) => arn.split(":").at(-1) as string),
        },
        statistic: "Maximum",
        threshold: LATENCY_SECONDS,
        periodSeconds: PERIOD_SECONDS,
        periods: 2,
        missing: "breaching",
        topicArn,
      },
      opts,
    );
  }
}
