import "../../support/program/unpackaged";
import { expect, test } from "vitest";
import { EventBus } from "../../../dist/components/event-bus.js";
import { Monolith } from "../../../dist/components/monolith/monolith.js";
import { domain as members } from "../../../dist/test/fixtures/domains/members/index.js";
import { deploy, packageOf } from "../../support/program/mocks";
import { DATABASE } from "../../support/postgres/monolith-database";
import { statementsOf } from "../../support/program/policy-statements";

const TOPIC_ARN = "arn:aws:sns:eu-central-1:111122223333:alarms";

const press = { ...members, name: "press", subscriptions: {} };
const args = () => ({
  modules: [members, press],
  bus: new EventBus("events"),
  database: DATABASE,
  streamShards: 2,
  streamRetentionHours: 24,
  replicationInstanceClass: "dms.c6i.large",
  outboxRetentionDays: 45,
  logRetentionDays: 7,
  deletionProtection: true,
  alarmTopicArn: TOPIC_ARN,
});
const deployment = await deploy(() => {
  const monolith = new Monolith("monolith", args());
  return {
    modules: Object.keys(monolith.modules),
    streamArn: monolith.streamArn,
    quarantineUrl: monolith.quarantineUrl,
    retentionFunction: monolith.retentionFunction,
  };
});
const { one } = deployment;

test("The monolith is the capture and the retention of its outbox and its modules, each named for itself", () => {
  expect(deployment.childrenOf(one("domain-consistency:components:Monolith", "monolith"))).toEqual([
    "domain-consistency:components:ChangeDataCapture monolith",
    "domain-consistency:components:MonolithModule members",
    "domain-consistency:components:MonolithModule press",
    "domain-consistency:components:Retention monolith-retention",
  ]);
  expect(deployment.outputs).toEqual({
    modules: ["members", "press"],
    streamArn: "arn:aws:kinesis:eu-central-1:111122223333:stream/monolith-stream-1234567",
    quarantineUrl: "https://sqs.eu-central-1.amazonaws.com/111122223333/monolith-relay-quarantine-1234567",
    retentionFunction: "monolith-retention-1234567",
  });
});

test("The capture is sized as the monolith is configured, and publishes as all its modules", () => {
  expect(one("aws:kinesis/stream:Stream", "monolith-stream").inputs).toMatchObject({
    shardCount: 2,
    retentionPeriod: 24,
  });
  expect(one("aws:dms/replicationInstance:ReplicationInstance", "monolith-instance").inputs).toMatchObject({
    replicationInstanceClass: "dms.c6i.large",
  });
  expect(statementsOf(deployment, "monolith-relay")).toContainEqual(
    expect.objectContaining({
      Sid: "PublishEvents",
      Condition: { "ForAllValues:StringEquals": { "events:source": ["members", "press"] } },
    }),
  );
});

test("A monolith without modules is refused, since its relay's permission would name no domain", async () => {
  await deploy(() => {
    const empty = () => new Monolith("monolith", { ...args(), modules: [] });
    expect(empty).toThrow(expect.objectContaining({ code: "MONOLITH_WITHOUT_MODULES" }) as Error);
    expect(empty).toThrow("The monolith has no modules, so there is nothing to capture.");
  });
});

test("The outbox is kept as long as the monolith is configured", () => {
  const { environment } = one("aws:lambda/function:Function", "monolith-retention").inputs;
  expect(environment).toMatchObject({ variables: { OUTBOX_RETENTION_DAYS: "45" } });
});

test("Every log and every alarm of the monolith has the retention and the topic that are configured", () => {
  for (const { inputs } of deployment.ofType("aws:cloudwatch/logGroup:LogGroup"))
    expect(inputs.retentionInDays).toBe(7);
  for (const { inputs } of deployment.ofType("aws:cloudwatch/metricAlarm:MetricAlarm"))
    expect(inputs.alarmActions).toEqual([TOPIC_ARN]);
});

test("Every handler is named in errors by its module and what it is for", async () => {
  const owners = await Promise.all(deployment.ofType("aws:lambda/function:Function").map(packageOf));
  expect(owners.sort()).toEqual([
    'domain "members", commands',
    'domain "members", subscription "counted"',
    'domain "members", subscription "loans"',
    'domain "press", commands',
    "the monolith's relay",
    "the monolith's retention",
  ]);
});
