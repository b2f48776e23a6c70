import "../../support/program/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../../dist/components/event-bus.js";
import { Subscription } from "../../../dist/components/subscription/subscription.js";
import { handler } from "../../../dist/runtime/function/handler.js";
import { type Declared, deploy, json } from "../../support/program/mocks";

const TOPIC_ARN = "arn:aws:sns:eu-central-1:111122223333:alarms";
const arnOf = (queue: string) => `arn:aws:sqs:eu-central-1:111122223333:${queue}-1234567`;
const urlOf = (queue: string) => `https://sqs.eu-central-1.amazonaws.com/111122223333/${queue}-1234567`;
const RULE_ARN = "arn:aws:events:eu-central-1:111122223333:rule/events-1234567/loans-on-members-rule-*";

const deployment = await deploy(() => {
  const shared = {
    owner: 'domain "loans", subscription "members"',
    bus: new EventBus("events"),
    source: "members",
    eventTypes: ["MemberMoved", "MemberLeft"],
    handler: handler(["PROJECTION_TABLES"], () => async () => ({ batchItemFailures: [] })),
    environment: { PROJECTION_TABLES: "{}" },
    statements: [
      { Sid: "WriteProjection", Action: ["dynamodb:PutItem"], Resource: "arn:aws:dynamodb:::table/p" },
    ],
    logRetentionDays: 7,
    alarmTopicArn: TOPIC_ARN,
  };
  const { queueUrl, deadLetterUrl, targetDeadLetterUrl } = new Subscription("loans-on-members", shared);
  new Subscription("limited", { ...shared, maximumConcurrency: 5 });
  const eventTypes = Array.from({ length: 100 }, (_, index) => `MemberSaidSomething${index + 1000}`);
  new Subscription("loans-on-many", { ...shared, eventTypes });
  return { queueUrl, deadLetterUrl, targetDeadLetterUrl };
});
const one = (type: string, name: string): Declared => deployment.one(type, `loans-on-members-${name}`);

test("A subscription is a rule, a queue, a function, and a dead-letter queue with an alarm for each way to fail", () => {
  const component = deployment.one("domain-consistency:components:Subscription", "loans-on-members");
  expect(deployment.childrenOf(component)).toEqual([
    "aws:cloudwatch/eventRule:EventRule loans-on-members-rule",
    "aws:cloudwatch/eventTarget:EventTarget loans-on-members-target",
    "aws:cloudwatch/metricAlarm:MetricAlarm loans-on-members-dlq-age-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm loans-on-members-dlq-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm loans-on-members-lost-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm loans-on-members-queue-age-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm loans-on-members-target-dlq-age-alarm",
    "aws:cloudwatch/metricAlarm:MetricAlarm loans-on-members-target-dlq-alarm",
    "aws:lambda/eventSourceMapping:EventSourceMapping loans-on-members-source",
    "aws:sqs/queue:Queue loans-on-members-dlq",
    "aws:sqs/queue:Queue loans-on-members-queue",
    "aws:sqs/queue:Queue loans-on-members-target-dlq",
    "aws:sqs/queuePolicy:QueuePolicy loans-on-members-queue-policy",
    "aws:sqs/queuePolicy:QueuePolicy loans-on-members-target-dlq-policy",
    "domain-consistency:components:HandlerFunction loans-on-members",
  ]);
});

test("The rule takes these events of that domain, and no replayed ones", () => {
  const { eventBusName, eventPattern } = one("aws:cloudwatch/eventRule:EventRule", "rule").inputs;
  expect(eventBusName).toBe("events-1234567");
  expect(json(eventPattern)).toEqual({
    source: ["members"],
    "detail-type": ["MemberLeft", "MemberMoved"],
    "replay-name": [{ exists: false }],
  });
});

test("The rule's target is the queue; what cannot be delivered, at once or for a day, goes to the target's dead-letter queue", () => {
  expect(one("aws:cloudwatch/eventTarget:EventTarget", "target").inputs).toEqual({
    eventBusName: "events-1234567",
    rule: "loans-on-members-rule-1234567",
    arn: arnOf("loans-on-members-queue"),
    deadLetterConfig: { arn: arnOf("loans-on-members-target-dlq") },
    retryPolicy: { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 },
  });
});

test("Both queues that EventBridge writes to take messages of this subscription's rules only, before the rule has its target", () => {
  const target = one("aws:cloudwatch/eventTarget:EventTarget", "target");
  for (const queue of ["queue", "target-dlq"]) {
    const queuePolicy = one("aws:sqs/queuePolicy:QueuePolicy", `${queue}-policy`);
    expect(queuePolicy.inputs.queueUrl).toBe(urlOf(`loans-on-members-${queue}`));
    expect(json(queuePolicy.inputs.policy)).toMatchObject({
      Statement: [
        {
          Principal: { Service: "events.amazonaws.com" },
          Action: "sqs:SendMessage",
          Resource: arnOf(`loans-on-members-${queue}`),
          Condition: { ArnEquals: { "aws:SourceArn": RULE_ARN } },
        },
      ],
    });
    expect(target.dependencies).toContain(queuePolicy.urn);
  }
});

test("Event types that do not fit into one rule's pattern have several rules with the same target, each before it loses a type", () => {
  const rules = deployment
    .ofType("aws:cloudwatch/eventRule:EventRule")
    .filter(({ name }) => name.startsWith("loans-on-many-"));
  expect(rules.map(({ name }) => name)).toEqual(["loans-on-many-rule", "loans-on-many-rule-2"]);
  const [first, second] = ["", "-2"].map((ending) =>
    deployment.one("aws:cloudwatch/eventTarget:EventTarget", `loans-on-many-target${ending}`),
  );
  expect(second!.inputs).toEqual({ ...first!.inputs, rule: "loans-on-many-rule-2-1234567" });
  expect(rules[0]!.dependencies).toContain(second!.urn);
  const types = rules.flatMap(
    ({ inputs }) => (json(inputs.eventPattern) as { "detail-type": string[] })["detail-type"],
  );
  expect(new Set(types).size).toBe(100);
});

test("A message that is refused five times goes to the dead-letter queue", () => {
  const { redrivePolicy } = one("aws:sqs/queue:Queue", "queue").inputs;
  expect(json(redrivePolicy)).toEqual({
    deadLetterTargetArn: arnOf("loans-on-members-dlq"),
    maxReceiveCount: 5,
  });
});

test("A message stays invisible for at least six times as long as its function may run", () => {
  const { visibilityTimeoutSeconds } = one("aws:sqs/queue:Queue", "queue").inputs;
  const { timeout } = deployment.one("aws:lambda/function:Function", "loans-on-members").inputs;
  expect(visibilityTimeoutSeconds).toBeGreaterThanOrEqual(6 * Number(timeout));
});

test("The queue and its dead-letter queues keep messages as long as SQS can: 14 days", () => {
  const retention = (queue: string) => one("aws:sqs/queue:Queue", queue).inputs.messageRetentionSeconds;
  expect([retention("queue"), retention("dlq"), retention("target-dlq")]).toEqual([
    1_209_600, 1_209_600, 1_209_600,
  ]);
});

test("A message that waits twice as long as five attempts take raises an alarm, two weeks before SQS deletes it", () => {
  const { visibilityTimeoutSeconds } = one("aws:sqs/queue:Queue", "queue").inputs;
  const { inputs } = one("aws:cloudwatch/metricAlarm:MetricAlarm", "queue-age-alarm");
  expect(inputs).toEqual({
    alarmDescription:
      "Messages wait for loans-on-members: its function is not invoked or does not keep up. SQS deletes them after 14 days.",
    namespace: "AWS/SQS",
    metricName: "ApproximateAgeOfOldestMessage",
    dimensions: { QueueName: "loans-on-members-queue-1234567" },
    statistic: "Maximum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 1_800,
    period: 300,
    evaluationPeriods: 1,
    treatMissingData: "notBreaching",
    alarmActions: [TOPIC_ARN],
  });
  expect(inputs.threshold).toBe(2 * 5 * Number(visibilityTimeoutSeconds));
});

test("A dead letter that nobody looked at for a week raises another alarm, a week before SQS deletes it", () => {
  for (const queue of ["dlq", "target-dlq"]) {
    expect(one("aws:cloudwatch/metricAlarm:MetricAlarm", `${queue}-age-alarm`).inputs).toMatchObject({
      metricName: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: `loans-on-members-${queue}-1234567` },
      threshold: 604_800,
      alarmActions: [TOPIC_ARN],
    });
  }
});

test("An event that EventBridge can deliver neither to the queue nor to the target's dead-letter queue raises an alarm", () => {
  expect(one("aws:cloudwatch/metricAlarm:MetricAlarm", "lost-alarm").inputs).toMatchObject({
    namespace: "AWS/Events",
    metricName: "InvocationsFailedToBeSentToDlq",
    dimensions: { EventBusName: "events-1234567", RuleName: "loans-on-members-rule-1234567" },
    threshold: 0,
    alarmActions: [TOPIC_ARN],
  });
});

test("All queues are encrypted with SQS's own keys, which EventBridge can use without further permission", () => {
  for (const queue of deployment.ofType("aws:sqs/queue:Queue")) {
    expect(queue.inputs).toMatchObject({ sqsManagedSseEnabled: true });
  }
});

test("A message in either dead-letter queue raises an alarm", () => {
  for (const [queue, alarmDescription] of [
    ["dlq", "Messages that loans-on-members refused are waiting in its dead-letter queue."],
    [
      "target-dlq",
      "Events that could not be delivered to loans-on-members are waiting in the target's dead-letter queue.",
    ],
  ] as const) {
    expect(one("aws:cloudwatch/metricAlarm:MetricAlarm", `${queue}-alarm`).inputs).toMatchObject({
      alarmDescription,
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: `loans-on-members-${queue}-1234567` },
      threshold: 0,
      alarmActions: [TOPIC_ARN],
    });
  }
});

test("The function is fed ten messages at a time, and gives back only those that failed", () => {
  const source = one("aws:lambda/eventSourceMapping:EventSourceMapping", "source");
  expect(source.inputs).toEqual({
    eventSourceArn: arnOf("loans-on-members-queue"),
    functionName: "arn:aws:lambda:eu-central-1:111122223333:function:loans-on-members-1234567",
    batchSize: 10,
    functionResponseTypes: ["ReportBatchItemFailures"],
  });
  expect(source.dependencies).toContain(one("aws:iam/rolePolicy:RolePolicy", "policy").urn);
});

test("Concurrency can be limited, for a database that limits connections", () => {
  const { inputs } = deployment.one("aws:lambda/eventSourceMapping:EventSourceMapping", "limited-source");
  expect(inputs.scalingConfig).toEqual({ maximumConcurrency: 5 });
});

test("The function may receive from its own queue, and do what it was given", () => {
  expect(json(one("aws:iam/rolePolicy:RolePolicy", "policy").inputs.policy)).toMatchObject({
    Statement: [
      { Sid: "WriteLog" },
      {
        Sid: "ReceiveMessages",
        Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        Resource: arnOf("loans-on-members-queue"),
      },
      { Sid: "WriteProjection", Resource: "arn:aws:dynamodb:::table/p" },
    ],
  });
});

test("The component has the URLs of its three queues", () => {
  expect(deployment.outputs).toEqual({
    queueUrl: urlOf("loans-on-members-queue"),
    deadLetterUrl: urlOf("loans-on-members-dlq"),
    targetDeadLetterUrl: urlOf("loans-on-members-target-dlq"),
  });
});
