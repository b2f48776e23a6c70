import {
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  type KinesisClient,
  type _Record,
} from "@aws-sdk/client-kinesis";
import { codedError } from "../../runtime/function/coded-error";
import type { ShardDescription } from "./shard-order";
import { readSourceArn } from "./source-arn";
import type { StreamReader, StreamRecord } from "./stream-reader";

/** GetRecords returns at most 10,000 records. */
const MAX_RECORDS = 10_000;
/** About what a record's other fields take in the function's payload. */
const ENVELOPE_BYTES = 512;

/**
 * Reads a Kinesis stream as its function's role, which needs kinesis:DescribeStream, ListShards, GetShardIterator and GetRecords on it.
 * Every call names the stream by its ARN, so that the emulator checks the permission on it.
 */
export function kinesisReader(client: KinesisClient, streamArn: string, roleArn: string): StreamReader {
  const toRecord = kinesisRecord(streamArn, roleArn);
  return {
    describe: async () => {
      await client.send(new DescribeStreamCommand({ StreamARN: streamArn }));
    },
    listShards: async () => {
      const shards: ShardDescription[] = [];
      let nextToken: string | undefined;
      do {
        const page = await client.send(
          new ListShardsCommand(nextToken ? { NextToken: nextToken } : { StreamARN: streamArn }),
        );
        for (const { ShardId, ParentShardId, AdjacentParentShardId } of page.Shards ?? []) {
          const parents = [ParentShardId, AdjacentParentShardId].filter((id) => id !== undefined);
          if (ShardId) shards.push({ shardId: ShardId, parentShardIds: parents });
        }
        nextToken = page.NextToken;
      } while (nextToken);
      return shards;
    },
    iterator: async (shardId, position) => {
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamARN: streamArn,
          ShardId: shardId,
          ShardIteratorType: position.type,
          StartingSequenceNumber: "sequenceNumber" in position ? position.sequenceNumber : undefined,
        }),
      );
      if (ShardIterator) return ShardIterator;
      throw codedError(
        "SHARD_ITERATOR_MISSING",
        `The emulator gave no iterator of shard "${shardId}" of "${streamArn}".`,
      );
    },
    read: async (shardId, iterator, limit) => {
      const page = await client.send(
        new GetRecordsCommand({
          StreamARN: streamArn,
          ShardIterator: iterator,
          Limit: Math.min(limit, MAX_RECORDS),
        }),
      );
      return {
        records: (page.Records ?? []).map((record) => toRecord(shardId, record)),
        next: page.NextShardIterator,
        behindMilliseconds: page.MillisBehindLatest ?? 0,
      };
    },
  };
}

/** Turns a record into the shape of a Lambda event. Source: AWS Lambda developer guide, "Using Lambda with Kinesis", example event. */
export function kinesisRecord(
  streamArn: string,
  roleArn: string,
): (shardId: string, record: _Record) => StreamRecord {
  const { region } = readSourceArn(streamArn);
  return (
    shardId,
    {
      SequenceNumber: sequenceNumber = "",
      PartitionKey: partitionKey = "",
      Data,
      ApproximateArrivalTimestamp,
    },
  ) => {
    const data = Buffer.from(Data ?? []).toString("base64");
    const arrivedAt = ApproximateArrivalTimestamp?.getTime() ?? Date.now();
    return {
      sequenceNumber,
      arrivedAt,
      orderingKey: partitionKey,
      bytes: data.length + ENVELOPE_BYTES,
      event: {
        kinesis: {
          kinesisSchemaVersion: "1.0",
          partitionKey,
          sequenceNumber,
          data,
          approximateArrivalTimestamp: arrivedAt / 1000,
        },
        eventSource: "aws:kinesis",
        eventVersion: "1.0",
        eventID: `${shardId}:${sequenceNumber}`,
        eventName: "aws:kinesis:record",
        invokeIdentityArn: roleArn,
        awsRegion: region,
        eventSourceARN: streamArn,
      },
    };
  };
}
