import { randomBytes } from "node:crypto";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, onTestFinished } from "vitest";
import { type Capture, type CaptureOptions, startCapture } from "../../../dist/local/capture/capture.js";
import { startEmulator } from "../../../dist/local/servers/emulator/start-emulator.js";
import { openRunDirectory } from "../../../dist/local/servers/run/run-directory.js";
import { type TaskInputOverrides, taskInputs } from "./task-inputs.js";

/** A record as a consumer gets it. */
export interface StreamRecord {
  shard: string;
  partitionKey: string;
  text: string;
  json: { data?: Record<string, unknown>; metadata: Record<string, unknown> };
}

/** A Kinesis stream with the role that the program declares for DMS. */
export interface StreamFixture {
  streamArn: string;
  roleArn: string;
  /** All records, shard after shard. */
  records(): Promise<StreamRecord[]>;
  /** The data records, in the order of their shard. */
  dataRecords(): Promise<StreamRecord[]>;
}

/** Where a captured database is. */
export interface CapturedDatabase {
  name: string;
  host: string;
  port: number;
  login: { user: string; password: string };
}

/** An emulator with IAM enforced, for the streams of a test file. */
export async function captureFixture() {
  const run = await openRunDirectory(process.cwd());
  const { endpoint, region, credentials, stop } = await startEmulator({ run, report: () => {} });
  const root = { endpoint, region, credentials };
  // Another client's handler: the emulator does not support HTTP/2.
  const kinesis = new KinesisClient({
    ...root,
    requestHandler: new LambdaClient(root).config.requestHandler,
  });
  const sts = new STSClient(root);

  const createStream = async (
    actions = ["kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords"],
  ): Promise<StreamFixture> => {
    const name = `outbox-${randomBytes(4).toString("hex")}`;
    await kinesis.send(new CreateStreamCommand({ StreamName: name, ShardCount: 2 }));
    const streamArn = `arn:aws:kinesis:${region}:000000000000:stream/${name}`;
    const roleArn = await roleFor(root, name, actions, streamArn);
    const records = () => readStream(kinesis, name);
    const isData = ({ json }: StreamRecord) => json.metadata["record-type"] === "data";
    return { streamArn, roleArn, records, dataRecords: async () => (await records()).filter(isData) };
  };

  /** Starts a capture with the role's credentials; it is stopped after the test. */
  const capture = async (
    database: CapturedDatabase,
    stream: StreamFixture,
    overrides: TaskInputOverrides = {},
    options: Partial<CaptureOptions> = {},
  ): Promise<Capture> => {
    const inputs = taskInputs({
      database: database.name,
      ...overrides,
      kinesis: { streamArn: stream.streamArn, serviceAccessRoleArn: stream.roleArn, ...overrides.kinesis },
    });
    const started = await startCapture({
      ...inputs,
      resolveSecret: () => {
        const { user: username, password } = database.login;
        return Promise.resolve({ username, password, host: database.host, port: database.port });
      },
      kinesisAs: (roleArn) => ({ endpoint, region, credentials: () => sessionOf(sts, roleArn) }),
      ...options,
    });
    onTestFinished(() => started.stop());
    return started;
  };

  return {
    createStream,
    capture,
    async close() {
      await stop();
      await run.close();
    },
  };
}

/** Waits until everything that was committed is on the stream; on a busy machine this may take seconds. */
export async function untilCaughtUp(capture: Capture): Promise<void> {
  await expect.poll(() => capture.isCaughtUp(), { timeout: CAUGHT_UP_MILLISECONDS }).toBe(true);
}

const CAUGHT_UP_MILLISECONDS = 30_000;

async function roleFor(root: object, name: string, actions: string[], resource: string): Promise<string> {
  const iam = new IAMClient(root);
  const trust = { Effect: "Allow", Principal: { Service: "dms.amazonaws.com" }, Action: "sts:AssumeRole" };
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }),
    }),
  );
  const statement = { Effect: "Allow", Action: actions, Resource: resource };
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: name,
      PolicyName: "write",
      PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
    }),
  );
  return Role?.Arn ?? "";
}

async function sessionOf(sts: STSClient, roleArn: string) {
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: "capture" }),
  );
  return {
    accessKeyId: Credentials?.AccessKeyId ?? "",
    secretAccessKey: Credentials?.SecretAccessKey ?? "",
    sessionToken: Credentials?.SessionToken ?? "",
    ...(Credentials?.Expiration ? { expiration: Credentials.Expiration } : {}),
  };
}

async function readStream(kinesis: KinesisClient, StreamName: string): Promise<StreamRecord[]> {
  const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName }));
  const found: StreamRecord[] = [];
  for (const { ShardId = "" } of Shards) {
    let { ShardIterator } = await kinesis.send(
      new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" }),
    );
    while (ShardIterator) {
      const answer = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
      for (const { Data, PartitionKey = "" } of answer.Records ?? []) {
        const text = Buffer.from(Data ?? []).toString();
        found.push({
          shard: ShardId,
          partitionKey: PartitionKey,
          text,
          json: JSON.parse(text) as StreamRecord["json"],
        });
      }
      ShardIterator = answer.Records?.length ? answer.NextShardIterator : undefined;
    }
  }
  return found;
}
