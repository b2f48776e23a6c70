import "../support/unpackaged";
import { expect, test } from "vitest";
import type { Declared } from "../support/mocks";
import { providerFaults } from "../support/provider-rules";
import { FULL_CONFIG } from "../support/stack-config";
import { deployProgram } from "../support/whole-program";

/** How Pulumi marks a secret on its way to the engine. Source: Pulumi's SDK, runtime/rpc. */
const SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270";

const deployment = await deployProgram({ config: FULL_CONFIG });
const lambdas = deployment.ofType("aws:lambda/function:Function");
const resources = deployment.declared.filter(({ custom }) => custom);
const variablesOf = ({ inputs }: Declared) =>
  (inputs.environment as { variables: Record<string, string> }).variables;

test("The AWS provider accepts the inputs of every resource", () => {
  expect(resources.flatMap(providerFaults)).toEqual([]);
});

test("Everything belongs to a component of the project", () => {
  const urns = new Map(deployment.declared.map((declared) => [declared.urn, declared]));
  for (const { urn, parent, custom } of deployment.declared.filter(
    ({ type }) => !type.startsWith("pulumi:"),
  )) {
    if (custom) expect(urns.get(parent)?.type, urn).toMatch(/^domain-consistency:components:[A-Za-z]+$/);
  }
});

test("A resource is named after its component, so that a component can be used twice", () => {
  const urns = new Map(deployment.declared.map((declared) => [declared.urn, declared]));
  for (const { name, parent, custom } of deployment.declared) {
    if (custom) expect(name.startsWith(urns.get(parent)?.name ?? ""), name).toBe(true);
  }
});

test("No two resources have the same URN", () => {
  const urns = deployment.declared.map(({ urn }) => urn);
  expect(urns.filter((urn, index) => urns.indexOf(urn) !== index)).toEqual([]);
});

test("Every function is told its role, runtime, timeout, memory and log group", () => {
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

test("Every log is kept for the configured number of days", () => {
  const logGroups = deployment.ofType("aws:cloudwatch/logGroup:LogGroup");
  expect(logGroups).toHaveLength(lambdas.length);
  for (const { inputs } of logGroups)
    expect(inputs.retentionInDays).toBe(Number(FULL_CONFIG.logRetentionDays));
});

test("No environment variable, input or output holds a secret; secrets are named by their ARN", () => {
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

test("Every alarm tells the configured topic, and every queue for the on-call, every relay, DMS and retention have one", () => {
  const alarms = deployment.ofType("aws:cloudwatch/metricAlarm:MetricAlarm");
  for (const { inputs } of alarms) expect(inputs.alarmActions).toEqual([FULL_CONFIG.alarmTopicArn]);
  const names = alarms.map(({ name }) => name).sort();
  const parked = deployment
    .ofType("aws:sqs/queue:Queue")
    .map(({ name }) => name)
    .filter((name) => !name.endsWith("-queue"));
  const relays = deployment.ofType("domain-consistency:components:Relay").map(({ name }) => `${name}-age`);
  const replication = ["monolith-source-latency", "monolith-target-latency"];
  expect(names).toEqual(
    [...parked, ...relays, ...replication, "monolith-retention"].map((name) => `${name}-alarm`).sort(),
  );
});

test("In a private network are the functions that open the database, and no others", () => {
  const attached = lambdas.filter(({ inputs }) => inputs.vpcConfig);
  expect(attached.length).toBeGreaterThan(0);
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

test("Every setting takes effect", () => {
  const task = deployment.one("aws:dms/endpoint:Endpoint", "monolith-source").inputs;
  const stream = deployment.one("aws:kinesis/stream:Stream", "monolith-stream").inputs;
  const instance = deployment.one(
    "aws:dms/replicationInstance:ReplicationInstance",
    "monolith-instance",
  ).inputs;
  const [commands, orders, retention] = ["catalog-commands", "orders-commands", "monolith-retention"].map(
    (name) => variablesOf(deployment.one("aws:lambda/function:Function", name)),
  );
  const protection = deployment
    .ofType("aws:dynamodb/table:Table")
    .map(({ inputs }) => inputs.deletionProtectionEnabled);
  expect({
    databaseHost: commands?.DATABASE_HOST,
    databasePort: commands?.DATABASE_PORT,
    databaseName: [commands?.DATABASE_NAME, task.databaseName],
    databaseTls: commands?.DATABASE_TLS,
    subnetIds: deployment.one("aws:dms/replicationSubnetGroup:ReplicationSubnetGroup", "monolith-subnets")
      .inputs.subnetIds,
    securityGroupIds: instance.vpcSecurityGroupIds,
    applicationSecretArn: commands?.DATABASE_SECRET_ARN,
    captureSecretArn: task.secretsManagerArn,
    streamShards: stream.shardCount,
    streamRetentionHours: stream.retentionPeriod,
    replicationInstanceClass: instance.replicationInstanceClass,
    retentionSecretArn: retention?.DATABASE_SECRET_ARN,
    outboxRetentionDays: [orders?.OUTBOX_RETENTION_DAYS, retention?.OUTBOX_RETENTION_DAYS],
    deletionProtection: [...new Set(protection)],
  }).toEqual({
    databaseHost: "monolith.example.internal",
    databasePort: "6432",
    databaseName: ["shop", "shop"],
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

test("The stack's outputs name what operators and the local runner look for", () => {
  const url = (queue: string) => `https://sqs.eu-central-1.amazonaws.com/111122223333/${queue}-1234567`;
  const queuesOf = (subscription: string) => ({
    queue: url(`${subscription}-queue`),
    deadLetters: url(`${subscription}-dlq`),
    targetDeadLetters: url(`${subscription}-target-dlq`),
  });
  expect(deployment.outputs).toMatchObject({
    busArn: "arn:aws:events:eu-central-1:111122223333:event-bus/events-1234567",
    commandFunctions: {
      catalog: "catalog-commands-1234567",
      customers: "customers-commands-1234567",
      orders: "orders-commands-1234567",
      shipping: "shipping-commands-1234567",
    },
    retentionFunction: "monolith-retention-1234567",
    projectionTables: {
      catalog: {},
      customers: {},
      orders: {
        customers: "orders-customers-projection-1234567",
        products: "orders-products-projection-1234567",
      },
      shipping: {
        customers: "shipping-customers-projection-1234567",
        orders: "shipping-orders-projection-1234567",
      },
    },
    queues: {
      catalog: { orders: queuesOf("catalog-on-orders") },
      customers: {},
      orders: {
        customers: queuesOf("orders-on-customers"),
        dispatch: queuesOf("orders-on-dispatch"),
        products: queuesOf("orders-on-products"),
      },
      shipping: {
        customers: queuesOf("shipping-on-customers"),
        orders: queuesOf("shipping-on-orders"),
        placed: queuesOf("shipping-on-placed"),
        relocations: queuesOf("shipping-on-relocations"),
      },
    },
    quarantineQueues: {
      monolith: url("monolith-relay-quarantine"),
      orders: url("orders-relay-quarantine"),
      shipping: url("shipping-relay-quarantine"),
    },
  });
});
