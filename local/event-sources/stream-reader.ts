import type { DynamoDBRecord, KinesisStreamRecord } from "aws-lambda";
import type { ShardDescription } from "./shard-order";

/** A record of a shard. */
export interface StreamRecord {
  sequenceNumber: string;
  /** Milliseconds since 1970. */
  arrivedAt: number;
  /** Records with the same key keep their order, also with several batches in flight. */
  orderingKey: string;
  /** About how much it adds to the function's payload. */
  bytes: number;
  /** As the function gets it. */
  event: KinesisStreamRecord | DynamoDBRecord;
}

/** The answer to one read of a shard. */
export interface StreamPage {
  records: readonly StreamRecord[];
  /** Where to read on; `undefined` when the shard is closed and read to its end. */
  next: string | undefined;
  /** How far behind the newest record the page is, in milliseconds; 0 at the tip. */
  behindMilliseconds: number;
}

/** Where to start in a shard. */
export type ShardPosition =
  | { type: "TRIM_HORIZON" | "LATEST" }
  | { type: "AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER"; sequenceNumber: string };

/** Reads a stream. All methods reject with the SDK's errors. */
export interface StreamReader {
  /** Checks that the stream can be read. */
  describe(): Promise<void>;
  listShards(): Promise<ShardDescription[]>;
  iterator(shardId: string, position: ShardPosition): Promise<string>;
  read(shardId: string, iterator: string, limit: number): Promise<StreamPage>;
}

/** How to go on after a failed read. */
export type ReadFailure =
  /** The iterator is too old: get another. */
  | "expired"
  /** The position is no longer in the stream: records were lost. */
  | "trimmed"
  /** Too many calls: wait. */
  | "throttled"
  /** The shard is no longer there. */
  | "gone"
  /** Something must be put right first. */
  | "problem";

/** Tells what a failed read means. */
export function classifyReadFailure(error: unknown): ReadFailure {
  const name = (error as { name?: unknown } | null)?.name;
  if (name === "ExpiredIteratorException") return "expired";
  if (name === "TrimmedDataAccessException") return "trimmed";
  if (name === "ResourceNotFoundException") return "gone";
  const throttles = [
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "ThrottlingException",
  ];
  return typeof name === "string" && throttles.includes(name) ? "throttled" : "problem";
}

/** True for a page that says that there is nothing more to read at present. */
export function isTip(page: StreamPage): boolean {
  return page.records.length === 0 && page.behindMilliseconds === 0;
}
