import { expect, test } from "vitest";
import { EventBus } from "../../dist/components/event-bus.js";
import { UnclaimedEvents } from "../../dist/components/unclaimed-events.js";
import { deploy, json } from "../support/program/mocks";

const TOPIC_ARN = "arn:aws:sns:eu-central-1:111122223333:alarms";
const QUEUE_ARN = "arn:aws:sqs:eu-central-1:111122223333:rest-queue-1234567";
const ruleArn = (name: string) => `arn:aws:events:eu-central-1:111122223333:rule/${name}-1234567`;

async function declare(known: Record<string, string[]>) {
  return deploy(() => {
    const bus = new EventBus("events");
    const { queueUrl } = new UnclaimedEvents("rest", {
      bus,
      known,
      subscribed: [bus],
      alarmTopicArn: TOPIC_ARN,
    });
    return { queueUrl };
  });
}
const patternsOf = ({ ofType }: Awaited<ReturnType<typeof declare>>) =>
  Object.fromEntries(
    ofType("aws:cloudwatch/eventRule:EventRule").map(({ name, inputs }) => [name, json(inputs.eventPattern)]),
  );

const NOT_REPLAYED = { "replay-name": [{ exists: false }] };
const deployment = await declare({
  press: ["PaperSold"],
  members: ["MemberLeft", "MemberJoined"],
  readers: [],
});

test("Of each domain with events the types that it does not have are taken, and everything of other sources", () => {
  expect(patternsOf(deployment)).toEqual({
    "rest-rule": { source: [{ "anything-but": ["members", "press"] }], ...NOT_REPLAYED },
    "rest-of-members-rule": {
      source: ["members"],
      "detail-type": [{ "anything-but": ["MemberJoined", "MemberLeft"] }],
      ...NOT_REPLAYED,
    },
    "rest-of-press-rule": {
      source: ["press"],
      "detail-type": [{ "anything-but": ["PaperSold"] }],
      ...NOT_REPLAYED,
    },
  });
});

test("Without any domain every event is taken", async () => {
  expect(patternsOf(await declare({}))).toEqual({
    "rest-rule": { source: [{ prefix: "" }], ...NOT_REPLAYED },
  });
});

test("All rules deliver to one queue, whose policy lets in these rules and no others, before they have a target", () => {
  const names = ["rest", "rest-of-press", "rest-of-members"];
  const policy = deployment.one("aws:sqs/queuePolicy:QueuePolicy", "rest-queue-policy");
  expect(json(policy.inputs.policy)).toMatchObject({
    Statement: [
      {
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: QUEUE_ARN,
        Condition: { ArnEquals: { "aws:SourceArn": names.map((name) => ruleArn(`${name}-rule`)) } },
      },
    ],
  });
  for (const name of names) {
    const target = deployment.one("aws:cloudwatch/eventTarget:EventTarget", `${name}-target`);
    expect(target.inputs).toEqual({
      eventBusName: "events-1234567",
      rule: `${name}-rule-1234567`,
      arn: QUEUE_ARN,
      retryPolicy: { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 },
    });
    expect(target.dependencies).toContain(policy.urn);
  }
});

test("The first event raises an alarm, and events are kept for 14 days", () => {
  expect(deployment.one("aws:sqs/queue:Queue", "rest-queue").inputs).toMatchObject({
    messageRetentionSeconds: 1_209_600,
  });
  expect(deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", "rest-queue-alarm").inputs).toMatchObject({
    alarmDescription:
      "Events that no contract of the stack knows are waiting in the queue of unclaimed events.",
    metricName: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: "rest-queue-1234567" },
    threshold: 0,
    alarmActions: [TOPIC_ARN],
  });
  expect(deployment.outputs.queueUrl).toMatch(/rest-queue-1234567$/);
});

test("The rules are created and updated after what subscribes", () => {
  const { urn } = deployment.one("aws:cloudwatch/eventBus:EventBus", "events");
  for (const rule of deployment.ofType("aws:cloudwatch/eventRule:EventRule"))
    expect(rule.dependencies, rule.name).toContain(urn);
});
