import "../support/program/unpackaged";
import { describe, expect, test } from "vitest";
import { ALL_DOMAINS } from "../support/program/domain-sources";
import { queueUrl } from "../support/program/expected-program";
import { expectedResources } from "../support/program/expected-resources";
import type { Declared } from "../support/program/mocks";
import { providerFaults } from "../support/program/provider-rules";
import { FULL_CONFIG } from "../support/program/stack-config";
import { deployProgram } from "../support/program/whole-program";

/** How Pulumi marks a secret on its way to the engine. Source: Pulumi's SDK, runtime/rpc. */
const SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270";

const programs = [];
for (const domains of ALL_DOMAINS)
  programs.push({ ...domains, deployment: await deployProgram({ config: FULL_CONFIG }, domains) });
const variablesOf = ({ inputs }: Declared) =>
  (inputs.environment as { variables: Record<string, string> }).variables;

describe.each(programs)("With $name, fully configured,", ({ registry, deployment }) => {
  const lambdas = deployment.ofType("aws:lambda/function:Function");
  const resources = deployment.declared.filter(({ custom }) => custom);

  test("the AWS provider accepts the inputs of every resource", () => {
    expect(resources.flatMap(providerFaults)).toEqual([]);
  });

  test("everything belongs to a component of the project", () => {
    const urns = new Map(deployment.declared.map((declared) => [declared.urn, declared]));
    for (const { urn, parent } of resources) {
      expect(urns.get(parent)?.type, urn).toMatch(/^domain-consistency:components:[A-Za-z]+$/);
    }
  });

  test("a resource is named after its component, so that a component can be used twice", () => {
    const urns = new Map(deployment.declared.map((declared) => [declared.urn, declared]));
    for (const { name, parent } of resources) {
      expect(name.startsWith(urns.get(parent)?.name ?? "no parent"), name).toBe(true);
    }
  });

  test("no two resources have the same URN", () => {
    const urns = deployment.declared.map(({ urn }) => urn);
    expect(urns.filter((urn, index) => urns.indexOf(urn) !== index)).toEqual([]);
  });

  test("only the private network adds a resource", () => {
    const typed = resources.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`);
    expect(typed.sort()).toEqual(
      [
        ...expectedResources(registry),
        ...(registry.modules.length > 0 ? ["ReplicationSubnetGroup monolith-subnets"] : []),
      ].sort(),
    );
  });

  test("role, runtime, timeout, memory and log group of every function are explicit", () => {
    for (const { name, inputs } of lambdas) {
      expect(inputs).toMatchObject({
        role: expect.stringMatching(/^arn:aws:iam::\d{12}:role\//),
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        timeout: name === "monolith-retention" ? 300 : 30,
        memorySize: 512,
        loggingConfig: { logFormat: "JSON", logGroup: expect.stringMatching(/^\/aws\/lambda\//) },
      });
    }
  });

  test("every log is kept for the configured number of days", () => {
    const logGroups = deployment.ofType("aws:cloudwatch/logGroup:LogGroup");
    expect(logGroups).toHaveLength(lambdas.length);
    for (const { inputs } of logGroups)
      expect(inputs.retentionInDays).toBe(Number(FULL_CONFIG.logRetentionDays));
  });

  test("no environment variable, input or output holds a secret; secrets are named by their ARN", () => {
    const secrets = new Set<string>([
      FULL_CONFIG.applicationSecretArn,
      FULL_CONFIG.captureSecretArn,
      FULL_CONFIG.retentionSecretArn,
    ]);
    for (const { name, wire } of resources) expect(wire.includes(SECRET_MARK), name).toBe(false);
    for (const lambda of lambdas) {
      for (const [variable, value] of Object.entries(variablesOf(lambda))) {
        expect(variable).not.toMatch(/PASSWORD|TOKEN|CREDENTIAL|ACCESS_KEY/);
        if (secrets.has(value)) expect(variable).toBe("DATABASE_SECRET_ARN");
      }
    }
    expect(JSON.stringify(deployment.outputs)).not.toContain("secretsmanager");
  });

  test("every alarm notifies the configured topic", () => {
    const alarms = deployment.ofType("aws:cloudwatch/metricAlarm:MetricAlarm");
    for (const { name, inputs } of alarms)
      expect(inputs.alarmActions, name).toEqual([FULL_CONFIG.alarmTopicArn]);
  });

  test("the functions that open the database are in its private network, and no others", () => {
    const attached = lambdas.filter(({ inputs }) => inputs.vpcConfig);
    expect(attached.length > 0).toBe(registry.modules.length > 0);
    expect(attached.map(({ name }) => name)).toEqual(
      lambdas.filter((lambda) => "DATABASE_HOST" in variablesOf(lambda)).map(({ name }) => name),
    );
    for (const { inputs } of attached) {
      expect(inputs.vpcConfig).toEqual({
        subnetIds: ["subnet-0a1", "subnet-0b2"],
        securityGroupIds: ["sg-0c3"],
      });
    }
  });
});

const { one, ofType, outputs } = programs[0]!.deployment;

test("Every setting takes effect", () => {
  const task = one("aws:dms/endpoint:Endpoint", "monolith-source").inputs;
  const stream = one("aws:kinesis/stream:Stream", "monolith-stream").inputs;
  const instance = one("aws:dms/replicationInstance:ReplicationInstance", "monolith-instance").inputs;
  const [commands, loans, retention] = ["members-commands", "loans-commands", "monolith-retention"].map(
    (name) => variablesOf(one("aws:lambda/function:Function", name)),
  );
  const protection = ofType("aws:dynamodb/table:Table").map(({ inputs }) => inputs.deletionProtectionEnabled);
  expect({
    databaseHost: commands?.DATABASE_HOST,
    databasePort: commands?.DATABASE_PORT,
    databaseName: [commands?.DATABASE_NAME, task.databaseName],
    databaseTls: commands?.DATABASE_TLS,
    subnetIds: one("aws:dms/replicationSubnetGroup:ReplicationSubnetGroup", "monolith-subnets").inputs
      .subnetIds,
    securityGroupIds: instance.vpcSecurityGroupIds,
    applicationSecretArn: commands?.DATABASE_SECRET_ARN,
    captureSecretArn: task.secretsManagerArn,
    streamShards: stream.shardCount,
    streamRetentionHours: stream.retentionPeriod,
    replicationInstanceClass: instance.replicationInstanceClass,
    retentionSecretArn: retention?.DATABASE_SECRET_ARN,
    outboxRetentionDays: [loans?.OUTBOX_RETENTION_DAYS, retention?.OUTBOX_RETENTION_DAYS],
    deletionProtection: [...new Set(protection)],
  }).toEqual({
    databaseHost: "monolith.example.internal",
    databasePort: "6432",
    databaseName: ["library", "library"],
    databaseTls: "verify-full",
    subnetIds: ["subnet-0a1", "subnet-0b2"],
    securityGroupIds: ["sg-0c3"],
    applicationSecretArn: FULL_CONFIG.applicationSecretArn,
    captureSecretArn: FULL_CONFIG.captureSecretArn,
    streamShards: 3,
    streamRetentionHours: 48,
    replicationInstanceClass: "dms.c6i.large",
    retentionSecretArn: FULL_CONFIG.retentionSecretArn,
    outboxRetentionDays: ["45", "45"],
    deletionProtection: [false],
  });
});

test("Every queue, every relay, AWS DMS and retention have alarms on what waits and on what does not run", () => {
  const names = ofType("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ name }) => name);
  const subscribed = ["loans-on-leavers", "loans-on-members", "members-on-counted", "members-on-loans"];
  const parked = [
    ...subscribed.flatMap((name) => [`${name}-dlq`, `${name}-target-dlq`]),
    "loans-relay-quarantine",
    "monolith-relay-quarantine",
    "unclaimed-queue",
  ];
  expect(names.sort()).toEqual(
    [
      ...parked.flatMap((queue) => [`${queue}-alarm`, `${queue}-age-alarm`]),
      ...subscribed.flatMap((name) => [`${name}-queue-age-alarm`, `${name}-lost-alarm`]),
      ...["loans-relay", "monolith-relay"].flatMap((relay) =>
        ["age", "reads", "throttles"].map((what) => `${relay}-${what}-alarm`),
      ),
      "monolith-retention-alarm",
      "monolith-retention-runs-alarm",
      "monolith-source-latency-alarm",
      "monolith-target-latency-alarm",
    ].sort(),
  );
});

test("The stack's outputs name what operators and the local runner look for", () => {
  const queuesOf = (subscription: string) => ({
    queue: queueUrl(`${subscription}-queue`),
    deadLetters: queueUrl(`${subscription}-dlq`),
    targetDeadLetters: queueUrl(`${subscription}-target-dlq`),
  });
  expect(outputs).toEqual({
    busArn: "arn:aws:events:eu-central-1:111122223333:event-bus/events-1234567",
    commandFunctions: { loans: "loans-commands-1234567", members: "members-commands-1234567" },
    retentionFunction: "monolith-retention-1234567",
    projectionTables: {
      loans: { members: "loans-members-projection-1234567" },
      members: { loans: "members-loans-projection-1234567" },
    },
    queues: {
      loans: { members: queuesOf("loans-on-members"), leavers: queuesOf("loans-on-leavers") },
      members: { loans: queuesOf("members-on-loans"), counted: queuesOf("members-on-counted") },
    },
    quarantineQueues: {
      monolith: queueUrl("monolith-relay-quarantine"),
      loans: queueUrl("loans-relay-quarantine"),
    },
    unclaimedQueue: queueUrl("unclaimed-queue"),
    holdsTables: { monolith: "monolith-relay-holds-1234567", loans: "loans-relay-holds-1234567" },
  });
});
