import { createRequire } from "node:module";
import { DynamoDBClient, GetItemCommand, DescribeTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeRuleCommand,
  EventBridgeClient,
  ListTargetsByRuleCommand,
  PutEventsCommand,
} from "@aws-sdk/client-eventbridge";
import { KinesisClient, DescribeStreamSummaryCommand } from "@aws-sdk/client-kinesis";
import {
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { deployProgram } from "../../../dist/local/provision/deploy.js";
import type { Deployment } from "../../../dist/local/provision/deployment.js";
import type { Emulator } from "../../../dist/local/servers/emulator/emulator.js";
import { startEmulator } from "../../../dist/local/servers/emulator/start-emulator.js";
import { openRunDirectory, type RunDirectory } from "../../../dist/local/servers/run/run-directory.js";

/** Includes the installation of the emulator, where this is the first time. */
const START_TIMEOUT_MILLISECONDS = 180_000;
const PASSWORD = "correct horse";
const shop = createRequire(import.meta.url)("./fixtures/shop.cjs");

let run: RunDirectory | undefined;
let emulator: Emulator;
let deployment: Deployment;
const lines: string[] = [];

beforeAll(async () => {
  run = await openRunDirectory(process.cwd());
  emulator = await startEmulator({ run, report: () => undefined });
  deployment = await deploy(emulator.endpoint);
}, START_TIMEOUT_MILLISECONDS);
afterAll(() => run?.close());

it("Every declared resource exists, or is recorded with what stands in for it", () => {
  const recorded = deployment.resources.filter(({ replacement }) => replacement !== undefined);
  const created = deployment.resources.filter(
    ({ id, replacement }) => id !== "" && replacement === undefined,
  );

  expect(recorded.map(({ type }) => type)).toEqual([
    "aws:lambda/eventSourceMapping:EventSourceMapping",
    "aws:dms/endpoint:Endpoint",
  ]);
  expect(lines).toEqual([expect.stringMatching(/^Created 21 resources in [\d.]+ s; 2 are only recorded$/)]);
  expect(created).toHaveLength(21);
});

it("A function runs with the package, settings and role that it declares", async () => {
  const id = "from-writer";

  const answer = await invoke("writer", { id });

  expect(answer).toMatchObject({ put: id });
  const { Item } = await client(DynamoDBClient).send(
    new GetItemCommand({ TableName: output("tableName"), Key: { id: { S: id } } }),
  );
  expect(Item).toEqual({ id: { S: id } });
  const settings = await client(LambdaClient).send(
    new GetFunctionConfigurationCommand({ FunctionName: output("writer") }),
  );
  const { logGroup, role } = {
    logGroup: deployment.resource("aws:cloudwatch/logGroup:LogGroup", "writer"),
    role: deployment.resource("aws:iam/role:Role", "writer"),
  };
  expect(settings).toMatchObject({
    Runtime: "nodejs24.x",
    Handler: "index.handler",
    Timeout: 10,
    MemorySize: 256,
    Architectures: ["arm64"],
    Role: role.state["arn"],
    LoggingConfig: { LogFormat: "JSON", LogGroup: logGroup.id },
    Environment: { Variables: { TABLE_NAME: output("tableName"), PASSWORD } },
    CodeSize: deployment.resource("aws:lambda/function:Function", "writer").packageBytes,
  });
});

it("A function without the statement for a call is denied it, as on AWS", async () => {
  const { errorMessage } = await invoke("reader", { id: "from-reader" });

  expect(errorMessage).toMatch(/is not authorized to perform: dynamodb:PutItem/);
});

it("An event that matches the rule reaches the queue, and no other does", async () => {
  const entry = (Source: string) => ({
    EventBusName: output("busName"),
    Source,
    DetailType: "Placed",
    Detail: JSON.stringify({ from: Source }),
  });

  await client(EventBridgeClient).send(
    new PutEventsCommand({ Entries: [entry("elsewhere"), entry("orders")] }),
  );

  const { Messages = [] } = await client(SQSClient).send(
    new ReceiveMessageCommand({ QueueUrl: output("queueUrl"), WaitTimeSeconds: 5, MaxNumberOfMessages: 10 }),
  );
  expect(Messages.map(({ Body = "" }) => JSON.parse(Body).detail)).toEqual([{ from: "orders" }]);
});

it("A function that runs on a schedule has its rule, and the permission that the rule needs", async () => {
  const events = client(EventBridgeClient);
  const [rule, targets, policy] = await Promise.all([
    events.send(new DescribeRuleCommand({ Name: output("hourly") })),
    events.send(new ListTargetsByRuleCommand({ Rule: output("hourly") })),
    client(LambdaClient).send(new GetPolicyCommand({ FunctionName: output("reader") })),
  ]);

  expect(rule).toMatchObject({ ScheduleExpression: "rate(1 hour)", State: "ENABLED" });
  const reader = deployment.resource("aws:lambda/function:Function", "reader");
  expect(targets.Targets).toEqual([expect.objectContaining({ Arn: reader.state["arn"] })]);
  expect(JSON.parse(policy.Policy ?? "{}")).toMatchObject({
    Statement: [
      {
        Sid: expect.stringMatching(/^hourly-[0-9a-f]{7}$/),
        Effect: "Allow",
        Action: "lambda:InvokeFunction",
        Principal: { Service: "events.amazonaws.com" },
        Condition: { ArnLike: { "AWS:SourceArn": rule.Arn } },
      },
    ],
  });
});

it("Queues, streams and tables have the settings that the program declares", async () => {
  const dlq = deployment.resource("aws:sqs/queue:Queue", "placed-dlq");
  const [queue, stream, ttl] = await Promise.all([
    client(SQSClient).send(
      new GetQueueAttributesCommand({ QueueUrl: output("queueUrl"), AttributeNames: ["All"] }),
    ),
    client(KinesisClient).send(new DescribeStreamSummaryCommand({ StreamName: output("streamName") })),
    client(DynamoDBClient).send(new DescribeTimeToLiveCommand({ TableName: output("tableName") })),
  ]);

  expect(queue.Attributes).toMatchObject({
    VisibilityTimeout: "60",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dlq.state["arn"], maxReceiveCount: 3 }),
  });
  expect(stream.StreamDescriptionSummary).toMatchObject({
    StreamModeDetails: { StreamMode: "PROVISIONED" },
    OpenShardCount: 2,
    RetentionPeriodHours: 48,
  });
  expect(ttl.TimeToLiveDescription).toMatchObject({
    TimeToLiveStatus: "ENABLED",
    AttributeName: "expiresAt",
  });
  expect(output("streamArn")).toMatch(`${output("tableArn")}/stream/`);
});

it("The deployment's records do not hold the secret that a function was given", () => {
  expect(JSON.stringify(deployment)).not.toContain(PASSWORD);
});

it("A deployment onto an earlier one is refused, with the remedy", async () => {
  await expect(deploy(emulator.endpoint)).rejects.toMatchObject({
    code: "PROVISION_FAILED",
    message: expect.stringMatching(
      /^Could not create aws:\S+ "\S+" on the emulator: .* The emulator still holds an earlier run: reset it/,
    ),
  });
});

it("Where no emulator answers, the error says so", async () => {
  await expect(deploy("http://127.0.0.1:1")).rejects.toMatchObject({
    code: "EMULATOR_UNREACHABLE",
    message:
      'The AWS emulator at "http://127.0.0.1:1" does not answer. Check that it runs and that nothing else uses its port.',
  });
});

function deploy(endpoint: string): Promise<Deployment> {
  return deployProgram({
    program: () => shop,
    project: "shop",
    stack: "test",
    config: { password: PASSWORD },
    endpoint,
    region: emulator.region,
    report: (line) => lines.push(line),
  });
}

function output(name: string): string {
  return String(deployment.outputs[name]);
}

function client<Client>(Service: new (options: object) => Client): Client {
  const { endpoint, region, credentials } = emulator;
  return new Service({ endpoint, region, credentials });
}

async function invoke(name: string, event: object): Promise<Record<string, unknown>> {
  const { Payload } = await client(LambdaClient).send(
    new InvokeCommand({ FunctionName: output(name), Payload: JSON.stringify(event) }),
  );
  return JSON.parse(new TextDecoder().decode(Payload)) as Record<string, unknown>;
}
