import {
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  type KinesisClient,
  type _Record,
} from "@aws-sdk/client-kinesis";
import type { KinesisStreamRecord } from "aws-lambda";
import { readSourceArn } from "../mapping-inputs";
import type { ShardDescription, StreamReader } from "./stream-reader";

/**
 * Reads a Kinesis stream as its function's role, which needs kinesis:DescribeStream, ListShards, GetShardIterator and
 * GetRecords on it. Every call names the stream by its ARN, so that the emulator checks the permission on it.
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
    iterator: async (shardId, afterSequenceNumber) => {
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamARN: streamArn,
          ShardId: shardId,
          ShardIteratorType: afterSequenceNumber === undefined ? "TRIM_HORIZON" : "AFTER_SEQUENCE_NUMBER",
          StartingSequenceNumber: afterSequenceNumber,
        }),
      );
      // Without one, the read fails and is reported.
      return ShardIterator ?? "";
    },
    read: async (shardId, iterator, limit) => {
      const {
        Records = [],
        NextShardIterator,
        MillisBehindLatest = 0,
      } = await client.send(
        new GetRecordsCommand({ StreamARN: streamArn, ShardIterator: iterator, Limit: limit }),
      );
      return {
        records: Records.map((record) => toRecord(shardId, record)),
        next: NextShardIterator,
        isAtTip: Records.length === 0 && MillisBehindLatest === 0,
      };
    },
  };
}

/**
 * Turns a record into the shape of a Lambda event. Source: AWS Lambda developer guide, "Using Lambda with Kinesis".
 */
export function kinesisRecord(
  streamArn: string,
  roleArn: string,
): (shardId: string, record: _Record) => KinesisStreamRecord {
  const { region } = readSourceArn(streamArn);
  return (shardId, { SequenceNumber = "", PartitionKey = "", Data, ApproximateArrivalTimestamp }) => ({
    kinesis: {
      kinesisSchemaVersion: "1.0",
      partitionKey: PartitionKey,
      sequenceNumber: SequenceNumber,
      data: Buffer.from(Data ?? []).toString("base64"),
      approximateArrivalTimestamp: (ApproximateArrivalTimestamp?.getTime() ?? Date.now()) / 1000,
    },
    eventSource: "aws:kinesis",
    eventVersion: "1.0",
    eventID: `${shardId}:${SequenceNumber}`,
    eventName: "aws:kinesis:record",
    invokeIdentityArn: roleArn,
    awsRegion: region,
    eventSourceARN: streamArn,
  });
}
