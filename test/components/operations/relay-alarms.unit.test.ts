import "../../support/program/unpackaged";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deployProgram } from "../../support/program/whole-program";

// Of the fixture domains: a module and a microservice.
const deployment = await deployProgram();
const alarm = (name: string) => deployment.one("aws:cloudwatch/metricAlarm:MetricAlarm", name).inputs;

test("The reads of the monolith's stream are watched by Kinesis's own metric, of which silence is bad", () => {
  expect(alarm("monolith-relay-reads-alarm")).toMatchObject({
    namespace: "AWS/Kinesis",
    metricName: "GetRecords.Success",
    dimensions: { StreamName: "monolith-stream-1234567" },
    statistic: "Sum",
    comparisonOperator: "LessThanThreshold",
    threshold: 1,
    treatMissingData: "breaching",
  });
});

test("The reads of an outbox table's stream are watched by DynamoDB's own metric: the number of successful calls", () => {
  expect(alarm("loans-relay-reads-alarm")).toMatchObject({
    namespace: "AWS/DynamoDB",
    metricName: "SuccessfulRequestLatency",
    dimensions: {
      TableName: "loans-outbox-1234567",
      Operation: "GetRecords",
      StreamLabel: "2026-11-23T00:00:00.000",
    },
    statistic: "SampleCount",
    comparisonOperator: "LessThanThreshold",
    threshold: 1,
    treatMissingData: "breaching",
  });
});

test("Every alarm is explained to the person on call", () => {
  const page = readFileSync(join(__dirname, "..", "..", "..", "docs", "operations.md"), "utf8");
  const explained = [...page.matchAll(/^\| `(.*?-alarm)`/gm)].map(([, name]) => name);
  const kinds = deployment.ofType("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ name }) =>
    name
      .replace(/^.*(-dlq|-quarantine|unclaimed-queue)-age-alarm$/, "<any queue>-age-alarm")
      .replace(/^[a-z]+-on-[a-z]+/, "<subscription>")
      .replace(/^[a-z]+-relay/, "<relay>"),
  );
  expect([...new Set(kinds)].sort()).toEqual(explained.sort());
});

test("Silence is bad only of what is never silent while it runs; everything else is quiet on an idle system", () => {
  const breaching = deployment
    .ofType("aws:cloudwatch/metricAlarm:MetricAlarm")
    .filter(({ inputs }) => inputs.treatMissingData === "breaching")
    .map(({ name }) => name);
  expect(breaching.sort()).toEqual([
    "loans-relay-reads-alarm",
    "monolith-relay-reads-alarm",
    "monolith-retention-runs-alarm",
    "monolith-source-latency-alarm",
    "monolith-target-latency-alarm",
  ]);
});
