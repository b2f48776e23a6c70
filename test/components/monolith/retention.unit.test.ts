import "../../support/program/unpackaged";
import { expect, test } from "vitest";
import { Retention } from "../../../dist/components/monolith/retention.js";
import { deploy, packageOf } from "../../support/program/mocks";
import { DATABASE } from "../../support/postgres/monolith-database";
import { statementsOf } from "../../support/program/policy-statements";

const TOPIC_ARN = "arn:aws:sns:eu-central-1:111122223333:alarms";
const RULE_ARN = "arn:aws:events:eu-central-1:111122223333:rule/monolith-retention-schedule-1234567";
const FUNCTION_ARN = "arn:aws:lambda:eu-central-1:111122223333:function:monolith-retention-1234567";
const args = { database: DATABASE, outboxRetentionDays: 45, logRetentionDays: 7, alarmTopicArn: TOPIC_ARN };

const deployment = await deploy(() => ({
  functionName: new Retention("monolith-retention", args).functionName,
}));
const { one } = deployment;

test("Retention is a function with its own role, run every hour by a rule that may invoke it and nothing else", async () => {
  expect(deployment.childrenOf(one("domain-consistency:components:Retention", "monolith-retention"))).toEqual(
    [
      "aws:cloudwatch/eventRule:EventRule monolith-retention-schedule",
      "aws:cloudwatch/eventTarget:EventTarget monolith-retention-target",
      "aws:cloudwatch/metricAlarm:MetricAlarm monolith-retention-alarm",
      "aws:cloudwatch/metricAlarm:MetricAlarm monolith-retention-runs-alarm",
      "aws:lambda/permission:Permission monolith-retention-permission",
      "domain-consistency:components:HandlerFunction monolith-retention",
    ],
  );
  const rule = one("aws:cloudwatch/eventRule:EventRule", "monolith-retention-schedule");
  expect(rule.inputs).toEqual({ description: "Removes old rows", scheduleExpression: "rate(1 hour)" });
  const target = one("aws:cloudwatch/eventTarget:EventTarget", "monolith-retention-target");
  expect(target.inputs).toEqual({ rule: "monolith-retention-schedule-1234567", arn: FUNCTION_ARN });
  expect(one("aws:lambda/permission:Permission", "monolith-retention-permission").inputs).toEqual({
    action: "lambda:InvokeFunction",
    function: "monolith-retention-1234567",
    principal: "events.amazonaws.com",
    sourceArn: RULE_ARN,
  });
  expect(target.dependencies.join()).toContain("monolith-retention-permission");
  expect(deployment.outputs).toEqual({ functionName: "monolith-retention-1234567" });
});

test("Its function opens the database with its own login, and may do nothing but read that secret", async () => {
  expect(statementsOf(deployment, "monolith-retention")).toEqual([
    {
      Sid: "ReadDatabaseSecret",
      Action: ["secretsmanager:GetSecretValue"],
      Resource: ["secretsmanager:secret:library/retention-AbCdEf"],
    },
  ]);
  const lambda = one("aws:lambda/function:Function", "monolith-retention");
  expect(await packageOf(lambda)).toBe("the monolith's retention");
  expect(lambda.inputs).toMatchObject({
    timeout: 300,
    environment: {
      variables: {
        DATABASE_HOST: "db.example.internal",
        DATABASE_PORT: "5432",
        DATABASE_NAME: "library",
        DATABASE_TLS: "verify-full",
        DATABASE_SECRET_ARN: DATABASE.retentionSecretArn,
        OUTBOX_RETENTION_DAYS: "45",
        INBOX_RETENTION_DAYS: "30",
      },
    },
  });
});

test("A run that fails raises an alarm", () => {
  expect(one("aws:cloudwatch/metricAlarm:MetricAlarm", "monolith-retention-alarm").inputs).toMatchObject({
    namespace: "AWS/Lambda",
    metricName: "Errors",
    dimensions: { FunctionName: "monolith-retention-1234567" },
    statistic: "Sum",
    comparisonOperator: "GreaterThanThreshold",
    threshold: 0,
    period: 3600,
    alarmActions: [TOPIC_ARN],
  });
});

test("A schedule that does not run raises an alarm, and a metric that is missing is no run", () => {
  expect(one("aws:cloudwatch/metricAlarm:MetricAlarm", "monolith-retention-runs-alarm").inputs).toMatchObject(
    {
      namespace: "AWS/Lambda",
      metricName: "Invocations",
      dimensions: { FunctionName: "monolith-retention-1234567" },
      statistic: "Sum",
      comparisonOperator: "LessThanThreshold",
      threshold: 1,
      period: 3600,
      evaluationPeriods: 3,
      treatMissingData: "breaching",
      alarmActions: [TOPIC_ARN],
    },
  );
});

test("How long the inbox is kept and when retention runs can be configured", async () => {
  const configured = { inboxRetentionDays: 60, schedule: "rate(5 minutes)" };
  const other = await deploy(() => void new Retention("other", { ...args, ...configured }));
  expect(other.one("aws:lambda/function:Function", "other").inputs.environment).toMatchObject({
    variables: { INBOX_RETENTION_DAYS: "60" },
  });
  expect(other.one("aws:cloudwatch/eventRule:EventRule", "other-schedule").inputs).toMatchObject({
    scheduleExpression: "rate(5 minutes)",
  });
});
