import {
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type DynamoDBStreamsClient,
} from "@aws-sdk/client-dynamodb-streams";
import { codedError } from "../../runtime/function/coded-error";
import { dynamoRecord } from "./dynamodb-record";
import type { ShardDescription } from "./shard-order";
import type { StreamReader } from "./stream-reader";

/** GetRecords returns at most 1,000 records. */
const MAX_RECORDS = 1_000;

/**
 * Reads a table's stream.
 *
 * @param client signs as root, since the emulator judges calls to DynamoDB Streams as if they named no resource, and so refuses a role
 *   that is allowed to read just this stream (MiniStack, core/iam_actions.py)
 * @param permitted rejects if the function's role may not read the stream; asked before every call
 */
export function dynamoReader(
  client: DynamoDBStreamsClient,
  streamArn: string,
  permitted: () => Promise<void>,
): StreamReader {
  const listShards = async (): Promise<ShardDescription[]> => {
    await permitted();
    const shards: ShardDescription[] = [];
    let lastShardId: string | undefined;
    do {
      const { StreamDescription } = await client.send(
        new DescribeStreamCommand({ StreamArn: streamArn, ExclusiveStartShardId: lastShardId }),
      );
      for (const { ShardId, ParentShardId } of StreamDescription?.Shards ?? []) {
        if (ShardId) shards.push({ shardId: ShardId, parentShardIds: ParentShardId ? [ParentShardId] : [] });
      }
      lastShardId = StreamDescription?.LastEvaluatedShardId;
    } while (lastShardId);
    return shards;
  };
  return {
    describe: async () => {
      await listShards();
    },
    listShards,
    iterator: async (shardId, position) => {
      await permitted();
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamArn: streamArn,
          ShardId: shardId,
          ShardIteratorType: position.type,
          SequenceNumber: "sequenceNumber" in position ? position.sequenceNumber : undefined,
        }),
      );
      if (ShardIterator) return ShardIterator;
      throw codedError(
        "SHARD_ITERATOR_MISSING",
        `The emulator gave no iterator of shard "${shardId}" of "${streamArn}".`,
      );
    },
    read: async (_shardId, iterator, limit) => {
      await permitted();
      const page = await client.send(
        new GetRecordsCommand({ ShardIterator: iterator, Limit: Math.min(limit, MAX_RECORDS) }),
      );
      const records = (page.Records ?? []).map((record) => dynamoRecord(streamArn, record));
      // DynamoDB does not say how far behind a page is: an empty one is taken for the tip, else the age of its last record.
      const last = records.at(-1);
      return {
        records,
        next: page.NextShardIterator,
        behindMilliseconds: last ? Math.max(1, Date.now() - last.arrivedAt) : 0,
      };
    },
  };
}
