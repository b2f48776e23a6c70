import { randomBytes } from "node:crypto";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateStreamCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { strToU8, zipSync } from "fflate";
import { onTestFinished, vi } from "vitest";
import { waitUntilAllDrained } from "../../../dist/local/event-sources/drain.js";
import {
  startEventSource,
  type EventSource,
  type EventSourceOptions,
} from "../../../dist/local/event-sources/event-source.js";
import type { Observation } from "../../../dist/local/event-sources/observation.js";
import { startEmulator } from "../../../dist/local/servers/emulator/start-emulator.js";
import { openRunDirectory } from "../../../dist/local/servers/run/run-directory.js";

const ACCOUNT = "000000000000";
const PACE = {
  idleMilliseconds: 20,
  problemMilliseconds: 100,
  firstRetryMilliseconds: 20,
  gatherMilliseconds: 0,
};

/** A source under test, with what it observed so far. */
export interface ObservedSource extends EventSource {
  /** Resolves when nothing is left in the source; rejects with EVENT_SOURCE_NOT_DRAINED once nothing moves. */
  waitUntilDrained(options?: { stallMilliseconds?: number }): Promise<void>;
  observations: Observation[];
  /** The records of all observations of a kind. */
  recordsOf(kind: Observation["kind"]): object[];
}

/** An emulator with IAM enforced, and what it takes to put something to test on it. */
export async function emulatorFixture() {
  const run = await openRunDirectory(process.cwd());
  const { endpoint, region, credentials, stop } = await startEmulator({ run, report: () => undefined });
  const options = () => ({ endpoint, region, credentials });
  const iam = new IAMClient(options());
  const lambda = new LambdaClient(options());
  const sqs = new SQSClient({ ...options(), useQueueUrlAsEndpoint: false });
  const kinesis = new KinesisClient(options());
  const dynamodb = new DynamoDBClient(options());

  /** Gives the role of a function just these permissions. */
  const allow = (functionName: string, actions: string[], resource: string, policy = "policy") =>
    iam.send(
      new PutRolePolicyCommand({
        RoleName: functionName,
        PolicyName: policy,
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: actions, Resource: resource }],
        }),
      }),
    );
  return {
    endpoint,
    region,
    credentials,
    allow,
    sqs,
    kinesis,
    dynamodb,
    close: async () => {
      for (const client of [iam, lambda, sqs, kinesis, dynamodb]) client.destroy();
      await stop();
      await run.close();
    },

    /** A function and a role with the same name, which has no permissions yet. */
    createFunction: async (handler: string): Promise<string> => {
      const name = `function-${randomBytes(4).toString("hex")}`;
      const Principal = { Service: "lambda.amazonaws.com" };
      const trust = {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal, Action: "sts:AssumeRole" }],
      };
      const command = new CreateRoleCommand({
        RoleName: name,
        AssumeRolePolicyDocument: JSON.stringify(trust),
      });
      const { Role } = await iam.send(command);
      await lambda.send(
        new CreateFunctionCommand({
          FunctionName: name,
          Role: Role?.Arn,
          Runtime: "nodejs24.x",
          Handler: "index.handler",
          Timeout: 10,
          Code: { ZipFile: zipSync({ "index.js": strToU8(`exports.handler = ${handler};`) }) },
        }),
      );
      return name;
    },

    createQueue: async (attributes: Record<string, string> = {}) => {
      const name = `queue-${randomBytes(4).toString("hex")}`;
      const { QueueUrl: url = "" } = await sqs.send(
        new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
      );
      return {
        url,
        arn: `arn:aws:sqs:${region}:${ACCOUNT}:${name}`,
        send: async (...bodies: string[]) => {
          for (const MessageBody of bodies)
            await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
        },
        /** Takes the messages, as somebody else does. */
        bodies: async (): Promise<string[]> => {
          const command = new ReceiveMessageCommand({
            QueueUrl: url,
            MaxNumberOfMessages: 10,
            WaitTimeSeconds: 0,
          });
          return ((await sqs.send(command)).Messages ?? []).map(({ Body = "" }) => Body);
        },
      };
    },

    createStream: async (shards = 1) => {
      const name = `stream-${randomBytes(4).toString("hex")}`;
      await kinesis.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
      return { name, arn: `arn:aws:kinesis:${region}:${ACCOUNT}:stream/${name}` };
    },

    /** A table with the key "pk" and a stream of new and old images. */
    createTable: async () => {
      const name = `table-${randomBytes(4).toString("hex")}`;
      const { TableDescription } = await dynamodb.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: "PAY_PER_REQUEST",
          KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
          AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
          StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
        }),
      );
      return { name, streamArn: TableDescription?.LatestStreamArn ?? "" };
    },

    /** Starts a source for the length of the test, and waits until it is being read. */
    start: async (
      mapping: EventSourceOptions["mapping"],
      { pace, ...more }: Partial<EventSourceOptions> = {},
    ): Promise<ObservedSource> => {
      const observations: Observation[] = [];
      const source = startEventSource({
        mapping,
        emulator: { endpoint, region },
        observe: (observation) => observations.push(observation),
        pace: { ...PACE, ...pace },
        ...more,
      });
      onTestFinished(() => source.stop());
      await source.ready;
      const recordsOf = (kind: Observation["kind"]): object[] =>
        observations.flatMap((seen) => (seen.kind === kind && "records" in seen ? [...seen.records] : []));
      const waitUntilDrained: ObservedSource["waitUntilDrained"] = (options) =>
        waitUntilAllDrained([source], options);
      return { ...source, waitUntilDrained, observations, recordsOf };
    },
  };
}

/** Waits for something to become true. */
export function eventually(isTrue: () => boolean | Promise<boolean>): Promise<unknown> {
  return vi.waitUntil(isTrue, { timeout: 60_000, interval: 20 });
}
