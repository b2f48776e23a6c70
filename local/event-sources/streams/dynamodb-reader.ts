import {
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record,
  type AttributeValue as SdkAttribute,
  type DynamoDBStreamsClient,
} from "@aws-sdk/client-dynamodb-streams";
import { SimulatePrincipalPolicyCommand, type IAMClient } from "@aws-sdk/client-iam";
import type { AttributeValue, DynamoDBRecord } from "aws-lambda";
import { codedError } from "../../../runtime/function/coded-error";
import type { ShardDescription, StreamReader } from "./stream-reader";

/**
 * Reads a table's stream as root, and checks before every call that the function's role may read it: the emulator
 * judges calls to DynamoDB Streams as if they named no resource, and so refuses a role that is allowed to read just
 * this stream (MiniStack, core/iam_actions.py).
 *
 * @param root clients that sign as root
 */
export function dynamoReader(
  root: { dynamodbStreams: DynamoDBStreamsClient; iam: IAMClient },
  streamArn: string,
  roleArn: string,
): StreamReader {
  const client = root.dynamodbStreams;
  const permitted = streamPermission(root.iam, roleArn, streamArn);
  return {
    describe: permitted,
    listShards: async () => {
      await permitted();
      const shards: ShardDescription[] = [];
      let lastShardId: string | undefined;
      do {
        const { StreamDescription } = await client.send(
          new DescribeStreamCommand({ StreamArn: streamArn, ExclusiveStartShardId: lastShardId }),
        );
        for (const { ShardId, ParentShardId } of StreamDescription?.Shards ?? []) {
          const parentShardIds = ParentShardId ? [ParentShardId] : [];
          if (ShardId) shards.push({ shardId: ShardId, parentShardIds });
        }
        lastShardId = StreamDescription?.LastEvaluatedShardId;
      } while (lastShardId);
      return shards;
    },
    iterator: async (shardId, afterSequenceNumber) => {
      await permitted();
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamArn: streamArn,
          ShardId: shardId,
          ShardIteratorType: afterSequenceNumber === undefined ? "TRIM_HORIZON" : "AFTER_SEQUENCE_NUMBER",
          SequenceNumber: afterSequenceNumber,
        }),
      );
      // Without one, the read fails and is reported.
      return ShardIterator ?? "";
    },
    read: async (_shardId, iterator, limit) => {
      await permitted();
      const { Records = [], NextShardIterator } = await client.send(
        new GetRecordsCommand({ ShardIterator: iterator, Limit: limit }),
      );
      const records = Records.map((record) => dynamoRecord(streamArn, record));
      return { records, next: NextShardIterator, isAtTip: records.length === 0 };
    },
  };
}

/** What a function's role must allow on the stream. */
const ON_STREAM = ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"];
/** AWS's own examples allow this one on the stream or on everything. */
const ON_STREAM_OR_ANY = "dynamodb:ListStreams";
/** A role may change while its mapping runs. */
const VALID_MILLISECONDS = 2_000;

/** Asks the emulator's policy simulator whether a role may read a table's stream; for two seconds at most once. */
function streamPermission(iam: IAMClient, roleArn: string, streamArn: string): () => Promise<void> {
  let checked: Promise<void> | undefined;
  let validUntil = 0;
  return () => {
    if (checked && Date.now() < validUntil) return checked;
    validUntil = Date.now() + VALID_MILLISECONDS;
    checked = checkPermission(iam, roleArn, streamArn);
    return checked;
  };
}

/** @throws AccessDeniedException (as `code` and `name`), like the SDK's, with the message of AWS */
async function checkPermission(iam: IAMClient, roleArn: string, streamArn: string): Promise<void> {
  let denied = await deniedActions(iam, roleArn, [...ON_STREAM, ON_STREAM_OR_ANY], streamArn);
  if (
    denied.includes(ON_STREAM_OR_ANY) &&
    (await deniedActions(iam, roleArn, [ON_STREAM_OR_ANY], "*")).length === 0
  ) {
    denied = denied.filter((action) => action !== ON_STREAM_OR_ANY);
  }
  if (denied.length === 0) return;
  const error = codedError(
    "AccessDeniedException",
    `Cannot access stream ${streamArn}. Please ensure the role can perform the GetRecords, GetShardIterator, ` +
      "DescribeStream, and ListStreams Actions on your stream in IAM. " +
      `"${roleArn}" is not allowed ${denied.join(", ")}.`,
  );
  throw Object.assign(error, { name: "AccessDeniedException" });
}

async function deniedActions(
  iam: IAMClient,
  roleArn: string,
  actions: readonly string[],
  resource: string,
): Promise<string[]> {
  const { EvaluationResults = [] } = await iam.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: roleArn,
      ActionNames: [...actions],
      ResourceArns: [resource],
    }),
  );
  const denied = EvaluationResults.filter(({ EvalDecision }) => EvalDecision !== "allowed");
  return denied.map(({ EvalActionName }) => EvalActionName ?? "?");
}

/**
 * Turns a record of a table's stream into the shape of a Lambda event: binary values in base64, the time in
 * seconds, and the user identity (which marks a deletion by TTL) in lower camel case. Source: AWS Lambda developer
 * guide, "Using AWS Lambda with Amazon DynamoDB", example event; Amazon DynamoDB developer guide, "DynamoDB Streams
 * and Time to Live".
 */
export function dynamoRecord(streamArn: string, record: _Record): DynamoDBRecord {
  const { Keys, NewImage, OldImage, SequenceNumber = "", SizeBytes, StreamViewType } = record.dynamodb ?? {};
  const { ApproximateCreationDateTime } = record.dynamodb ?? {};
  const { PrincipalId, Type } = record.userIdentity ?? {};
  return {
    ...(record.eventID && { eventID: record.eventID }),
    ...(record.eventName && { eventName: record.eventName }),
    eventVersion: record.eventVersion ?? "1.1",
    eventSource: "aws:dynamodb",
    ...(record.awsRegion && { awsRegion: record.awsRegion }),
    dynamodb: {
      ApproximateCreationDateTime: (ApproximateCreationDateTime?.getTime() ?? Date.now()) / 1000,
      ...(Keys && { Keys: imageOf(Keys) }),
      ...(NewImage && { NewImage: imageOf(NewImage) }),
      ...(OldImage && { OldImage: imageOf(OldImage) }),
      SequenceNumber,
      ...(SizeBytes === undefined ? {} : { SizeBytes }),
      ...(StreamViewType && { StreamViewType }),
    },
    eventSourceARN: streamArn,
    ...(record.userIdentity && { userIdentity: { principalId: PrincipalId, type: Type } }),
  };
}

function imageOf(image: Record<string, SdkAttribute>): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(image).map(([name, value]) => [name, attributeOf(value)]));
}

function attributeOf(value: SdkAttribute): AttributeValue {
  if (value.B !== undefined) return { B: base64(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(base64) };
  if (value.L !== undefined) return { L: value.L.map(attributeOf) };
  if (value.M !== undefined) return { M: imageOf(value.M) };
  // The SDK and Lambda's event write the other types alike.
  return value as AttributeValue;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
