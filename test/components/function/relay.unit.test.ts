import "../../support/program/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../../dist/components/event-bus.js";
import { Relay } from "../../../dist/components/function/relay.js";
import { makeDynamoRelay } from "../../../dist/runtime/relay/dynamodb-relay.js";
import { deploy, json } from "../../support/program/mocks";

const STREAM_ARN = "arn:aws:kinesis:eu-central-1:111122223333:stream/outbox";
const TOPIC_ARN = "arn:aws:sns:eu-central-1:111122223333:alarms";

/** Any events: the component only passes the handler on. */
const BANK_EVENTS = { "bank.Account": ["AccountOpened"] };

const deployment = await deploy(() => {
  const shared = {
    owner: "the monolith's relay",
    handler: makeDynamoRelay(BANK_EVENTS),
    bus: new EventBus("events"),
    domains: ["members", "press"],
    streamArn: STREAM_ARN,
    reading: { Sid: "ReadStream", Action: ["kinesis:GetRecords"], Resource: STREAM_ARN },
    deletionProtection: true,
    logRetentionDays: 7,
  };
  const relay = new Relay("town-relay", { ...shared, filters: [], alarmTopicArn: TOPIC_ARN });
  new Relay("filtered", { ...shared, filters: [{ eventName: ["INSERT"] }], alarmTopicArn: undefined });
  return { quarantineUrl: relay.quarantineUrl };
});

test("A relay is a function, its event source, a quarantine queue, alarms on all of them, and a table of holds", () => {
  const component = deployment.one("domain-consistency:components:Relay", "town-relay");
  expect(deployment.childrenOf(component)).toEqual([
    "aws:cloudwatch/metricAlarm:MetricAlarm town-relay-age-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm town-relay-quarantine-age-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm town-relay-quarantine-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm town-relay-reads-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm town-relay-throttles-alarm",
    "aws:dynamodb/table:Table town-relay-holds",
    "aws:lambda/eventSourceMapping:EventSourceMapping town-relay-source",
    "aws:sqs/queue:Queue town-relay-quarantine",
    "domain-consistency:components:HandlerFunction town-relay",
  ]);
  expect(deployment.outputs.quarantineUrl).toBe(
    "https://sqs.eu-central-1.amazonaws.com/111122223333/town-relay-quarantine-1234567",
  );
});

test("A relay reads its stream from the start, retries indefinitely, and gives back only what it could not publish", () => {
  const source = deployment.one("aws:lambda/eventSourceMapping:EventSourceMapping", "town-relay-source");
  expect(source.inputs).toEqual({
    eventSourceArn: STREAM_ARN,
    functionName: "arn:aws:lambda:eu-central-1:111122223333:function:town-relay-1234567",
    startingPosition: "TRIM_HORIZON",
    batchSize: 100,
    functionResponseTypes: ["ReportBatchItemFailures"],
    bisectBatchOnFunctionError: true,
    maximumRetryAttempts: -1,
    maximumRecordAgeInSeconds: -1,
  });
});

test("A relay starts to read only when its function may", () => {
  const source = deployment.one("aws:lambda/eventSourceMapping:EventSourceMapping", "town-relay-source");
  const policy = deployment.one("aws:iam/rolePolicy:RolePolicy", "town-relay-policy");
  expect(source.dependencies).toContain(policy.urn);
});

test("Filters are passed on as the JSON patterns that Lambda takes", () => {
  const { inputs } = deployment.one("aws:lambda/eventSourceMapping:EventSourceMapping", "filtered-source");
  expect(inputs.filterCriteria).toEqual({ filters: [{ pattern: '{"eventName":["INSERT"]}' }] });
});

test("The function knows the bus, the quarantine and the holds by its environment", () => {
  expect(deployment.one("aws:lambda/function:Function", "town-relay").inputs.environment).toEqual({
    variables: {
      EVENT_BUS_NAME: "events-1234567",
      QUARANTINE_QUEUE_URL:
        "https://sqs.eu-central-1.amazonaws.com/111122223333/town-relay-quarantine-1234567",
      HOLDS_TABLE: "town-relay-holds-1234567",
    },
  });
});

test("The function may read its stream, publish the events of its domains, quarantine records and hold their aggregates", () => {
  const { policy } = deployment.one("aws:iam/rolePolicy:RolePolicy", "town-relay-policy").inputs;
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
        Condition: { "ForAllValues:StringEquals": { "events:source": ["members", "press"] } },
      },
      {
        Sid: "QuarantineRecords",
        Effect: "Allow",
        Action: ["sqs:SendMessage"],
        Resource: "arn:aws:sqs:eu-central-1:111122223333:town-relay-quarantine-1234567",
      },
      {
        Sid: "HoldAggregates",
        Effect: "Allow",
        Action: ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
        Resource: "arn:aws:dynamodb:eu-central-1:111122223333:table/town-relay-holds-1234567",
      },
    ],
  });
});

test("Quarantined records are kept for 14 days, encrypted", () => {
  expect(deployment.one("aws:sqs/queue:Queue", "town-relay-quarantine").inputs).toEqual({
    messageRetentionSeconds: 1_209_600,
    sqsManagedSseEnabled: true,
  });
});

test("An outbox whose events wait longer than a minute raises an alarm", () => {
  expect(deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", "town-relay-age-alarm").inputs).toEqual({
    alarmDescription: "Events are waiting in the outbox: town-relay makes no progress.",
    namespace: "AWS/Lambda",
    metricName: "IteratorAge",
    dimensions: { FunctionName: "town-relay-1234567" },
    statistic: "Maximum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 60_000,
    period: 60,
    evaluationPeriods: 3,
    treatMissingData: "notBreaching",
    alarmActions: [TOPIC_ARN],
  });
});

test("A stream that nobody reads raises an alarm, and a metric that is missing is no reading", () => {
  expect(deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", "town-relay-reads-alarm").inputs).toEqual({
    alarmDescription:
      "town-relay does not run: nobody reads its stream. Events wait in the stream until it deletes them.",
    namespace: "AWS/Kinesis",
    metricName: "GetRecords.Success",
    dimensions: { StreamName: "outbox" },
    statistic: "Sum",
    comparisonOperator: "LessThanThreshold",
    threshold: 1,
    period: 300,
    evaluationPeriods: 3,
    treatMissingData: "breaching",
    alarmActions: [TOPIC_ARN],
  });
});

test("A relay that Lambda may not invoke raises an alarm", () => {
  const { inputs } = deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", "town-relay-throttles-alarm");
  expect(inputs).toMatchObject({
    namespace: "AWS/Lambda",
    metricName: "Throttles",
    dimensions: { FunctionName: "town-relay-1234567" },
    statistic: "Sum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 0,
    period: 300,
    evaluationPeriods: 3,
    alarmActions: [TOPIC_ARN],
  });
});

test("A record in the quarantine raises an alarm", () => {
  const alarm = deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", "town-relay-quarantine-alarm");
  expect(alarm.inputs).toEqual({
    alarmDescription: "Records that town-relay cannot publish are waiting in its quarantine queue.",
    namespace: "AWS/SQS",
    metricName: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: "town-relay-quarantine-1234567" },
    statistic: "Maximum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 0,
    period: 60,
    evaluationPeriods: 1,
    treatMissingData: "notBreaching",
    alarmActions: [TOPIC_ARN],
  });
});

test("Without a topic the alarms exist all the same, and notify nobody", () => {
  for (const name of ["filtered-age-alarm", "filtered-quarantine-alarm"]) {
    expect(deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", name).inputs.alarmActions).toEqual([]);
  }
});

test("Holds expire, and are protected as the other tables are", () => {
  expect(deployment.one("aws:dynamodb/table:Table", "town-relay-holds").inputs).toMatchObject({
    hashKey: "aggregateKey",
    ttl: { enabled: true, attributeName: "expiresAt" },
    deletionProtectionEnabled: true,
  });
});
