import type { DynamoDBRecord, KinesisStreamRecord } from "aws-lambda";

/** A record of a shard, as the function receives it. */
export type StreamRecord = KinesisStreamRecord | DynamoDBRecord;

/** The position of a record in its shard, by which a function reports it as failed. */
export function sequenceNumberOf(record: StreamRecord): string {
  return "kinesis" in record ? record.kinesis.sequenceNumber : (record.dynamodb?.SequenceNumber ?? "");
}

/** A shard of a stream and its origin. */
export interface ShardDescription {
  shardId: string;
  /** The shards it was split from or merged from; empty for an original one. */
  parentShardIds: readonly string[];
}

/** The answer to one read of a shard. */
export interface StreamPage {
  records: readonly StreamRecord[];
  /** Where to continue; `undefined` when the shard is closed and read to its end. */
  next: string | undefined;
  /** True if there is nothing more to read at present. */
  isAtTip: boolean;
}

/** Reads a stream. All methods reject with the SDK's errors. */
export interface StreamReader {
  /** Checks that the stream can be read. */
  describe(): Promise<void>;
  listShards(): Promise<ShardDescription[]>;
  /** Where to read on after a record, or else from the oldest record of the shard. */
  iterator(shardId: string, afterSequenceNumber?: string): Promise<string>;
  /** Reads up to `limit` records, at most 1,000. */
  read(shardId: string, iterator: string, limit: number): Promise<StreamPage>;
}
