import "../../support/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../../dist/components/event-bus.js";
import { Relay } from "../../../dist/components/function/relay.js";
import { deploy, json } from "../../support/mocks";

const STREAM_ARN = "arn:aws:kinesis:eu-central-1:111122223333:stream/outbox";
const TOPIC_ARN = "arn:aws:sns:eu-central-1:111122223333:alarms";

const deployment = await deploy(() => {
  const shared = {
    owner: "the monolith's relay",
    callbackFactory: () => async () => ({ batchItemFailures: [] }),
    bus: new EventBus("events"),
    domains: ["catalog", "customers"],
    streamArn: STREAM_ARN,
    reading: { Sid: "ReadStream", Action: ["kinesis:GetRecords"], Resource: STREAM_ARN },
    logRetentionDays: 7,
  };
  const relay = new Relay("shop-relay", { ...shared, filters: [], alarmTopicArn: TOPIC_ARN });
  new Relay("filtered", { ...shared, filters: [{ eventName: ["INSERT"] }], alarmTopicArn: undefined });
  return { quarantineUrl: relay.quarantineUrl };
});

test("A relay is a function, its event source, a quarantine queue and alarms on both", () => {
  const component = deployment.one("domain-consistency:components:Relay", "shop-relay");
  expect(deployment.childrenOf(component)).toEqual([
    "aws:cloudwatch/metricAlarm:MetricAlarm shop-relay-age-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm shop-relay-quarantine-alarm",
    "aws:lambda/eventSourceMapping:EventSourceMapping shop-relay-source",
    "aws:sqs/queue:Queue shop-relay-quarantine",
    "domain-consistency:components:HandlerFunction shop-relay",
  ]);
  expect(deployment.outputs.quarantineUrl).toBe(
    "https://sqs.eu-central-1.amazonaws.com/111122223333/shop-relay-quarantine-1234567",
  );
});

test("A relay reads its stream from the start, retries without end, and gives back only what it could not publish", () => {
  const source = deployment.one("aws:lambda/eventSourceMapping:EventSourceMapping", "shop-relay-source");
  expect(source.inputs).toEqual({
    eventSourceArn: STREAM_ARN,
    functionName: "arn:aws:lambda:eu-central-1:111122223333:function:shop-relay-1234567",
    startingPosition: "TRIM_HORIZON",
    batchSize: 100,
    functionResponseTypes: ["ReportBatchItemFailures"],
    bisectBatchOnFunctionError: true,
    maximumRetryAttempts: -1,
    maximumRecordAgeInSeconds: -1,
  });
});

test("A relay starts to read only when its function may", () => {
  const source = deployment.one("aws:lambda/eventSourceMapping:EventSourceMapping", "shop-relay-source");
  const policy = deployment.one("aws:iam/rolePolicy:RolePolicy", "shop-relay-policy");
  expect(source.dependencies).toContain(policy.urn);
});

test("Filters are passed on as the JSON patterns that Lambda takes", () => {
  const { inputs } = deployment.one("aws:lambda/eventSourceMapping:EventSourceMapping", "filtered-source");
  expect(inputs.filterCriteria).toEqual({ filters: [{ pattern: '{"eventName":["INSERT"]}' }] });
});

test("The function knows the bus and the quarantine by its environment", () => {
  expect(deployment.one("aws:lambda/function:Function", "shop-relay").inputs.environment).toEqual({
    variables: {
      EVENT_BUS_NAME: "events-1234567",
      QUARANTINE_QUEUE_URL:
        "https://sqs.eu-central-1.amazonaws.com/111122223333/shop-relay-quarantine-1234567",
    },
  });
});

test("The function may read its stream, publish the events of its domains, and set records aside", () => {
  const { policy } = deployment.one("aws:iam/rolePolicy:RolePolicy", "shop-relay-policy").inputs;
  expect(json(policy)).toEqual({
    Version: "2012-10-17",
    Statement: [
      expect.objectContaining({ Sid: "WriteLog" }),
      { Sid: "ReadStream", Effect: "Allow", Action: ["kinesis:GetRecords"], Resource: STREAM_ARN },
      {
        Sid: "PublishEvents",
        Effect: "Allow",
        Action: ["events:PutEvents"],
        Resource: "arn:aws:events:eu-central-1:111122223333:event-bus/events-1234567",
        Condition: { "ForAllValues:StringEquals": { "events:source": ["catalog", "customers"] } },
      },
      {
        Sid: "SetRecordsAside",
        Effect: "Allow",
        Action: ["sqs:SendMessage"],
        Resource: "arn:aws:sqs:eu-central-1:111122223333:shop-relay-quarantine-1234567",
      },
    ],
  });
});

test("Records that are set aside are kept for 14 days, encrypted", () => {
  expect(deployment.one("aws:sqs/queue:Queue", "shop-relay-quarantine").inputs).toEqual({
    messageRetentionSeconds: 1_209_600,
    sqsManagedSseEnabled: true,
  });
});

test("An outbox whose events wait longer than a minute raises an alarm", () => {
  expect(deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", "shop-relay-age-alarm").inputs).toEqual({
    alarmDescription: "Events wait in the outbox: shop-relay does not get on.",
    namespace: "AWS/Lambda",
    metricName: "IteratorAge",
    dimensions: { FunctionName: "shop-relay-1234567" },
    statistic: "Maximum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 60_000,
    period: 60,
    evaluationPeriods: 3,
    treatMissingData: "notBreaching",
    alarmActions: [TOPIC_ARN],
  });
});

test("A record in the quarantine raises an alarm", () => {
  const alarm = deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", "shop-relay-quarantine-alarm");
  expect(alarm.inputs).toEqual({
    alarmDescription: "Records that shop-relay cannot decode wait in its quarantine queue.",
    namespace: "AWS/SQS",
    metricName: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: "shop-relay-quarantine-1234567" },
    statistic: "Maximum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 0,
    period: 60,
    evaluationPeriods: 1,
    treatMissingData: "notBreaching",
    alarmActions: [TOPIC_ARN],
  });
});

test("Without a topic the alarms are there all the same, and tell nobody", () => {
  for (const name of ["filtered-age-alarm", "filtered-quarantine-alarm"]) {
    expect(deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", name).inputs.alarmActions).toEqual([]);
  }
});
