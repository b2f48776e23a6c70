import type { DynamoDBRecord, KinesisStreamRecord, SQSRecord } from "aws-lambda";
import type { SourceService } from "./source-arn";

/** A record as the function sees it in its event. */
export type SourceRecord = KinesisStreamRecord | DynamoDBRecord | SQSRecord;

/** Why records were given up. Source: AWS Lambda developer guide, "Retain discarded batch records". */
export type DiscardCondition = "RetryAttemptsExhausted" | "RecordAgeExceeded";

/** Why a batch did not get an answer from the function; none of these counts as an attempt. */
export type UndeliveredCause = "throttled" | "unreachable" | "refused" | "lost";

/** What happened, apart from where and when. */
export type Happening =
  /** Records were read from the shard or the queue. */
  | { kind: "received"; records: readonly SourceRecord[] }
  /** Records did not match the mapping's filters and count as processed. */
  | { kind: "filtered"; records: readonly SourceRecord[] }
  /** A batch is on its way to the function. `attempt` counts from 1. */
  | { kind: "invoked"; deliveryId: string; attempt: number; records: readonly SourceRecord[] }
  /** The records of a batch that count as processed. */
  | { kind: "succeeded"; deliveryId: string; milliseconds: number; records: readonly SourceRecord[] }
  /** The records of a batch that do not, and come again or are given up. */
  | {
      kind: "failed";
      deliveryId: string;
      milliseconds: number;
      reason: string;
      records: readonly SourceRecord[];
    }
  /** The function gave no answer that was received. */
  | {
      kind: "undelivered";
      deliveryId: string;
      cause: UndeliveredCause;
      reason: string;
      records: readonly SourceRecord[];
    }
  /** Streams: everything up to this sequence number is processed. */
  | { kind: "checkpointed"; sequenceNumber: string }
  /** Queues: messages were deleted. */
  | { kind: "deleted"; records: readonly SourceRecord[] }
  /** Records were given up, with or without a destination. */
  | { kind: "discarded"; condition: DiscardCondition; records: readonly SourceRecord[] }
  | {
      kind: "sentToDestination";
      destinationArn: string;
      condition: DiscardCondition;
      records: readonly SourceRecord[];
    }
  /** The mapping cannot work, e.g. for want of a permission; it goes on trying. */
  | { kind: "problem"; code: string; message: string }
  | { kind: "recovered" };

/** Something that an event source did. */
export type Observation = Happening & {
  /** Milliseconds since 1970. */
  at: number;
  functionName: string;
  sourceArn: string;
  service: SourceService;
  /** Streams: where it happened. */
  shardId?: string;
};

/** Takes observations as they happen, in order. It must not throw. */
export type Observer = (observation: Observation) => void;
