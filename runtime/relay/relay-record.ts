import type { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { OutboxRecord } from "../envelope/cloud-event";
import type { EventIdentity } from "./decode-captured";
import type { HoldsTable } from "./holds";
import type { KnownEvents } from "./known-events";

/** What a relay publishes, and where it sends events and what it cannot publish. */
export interface RelayTargets {
  known: KnownEvents;
  events: EventBridgeClient;
  queues: SQSClient;
  holds: HoldsTable;
  eventBus: string;
  quarantineQueue: string;
}

/** A stream record, decoded as far as possible. */
export type RelayRecord = {
  sequenceNumber: string;
  /** Kinesis only. */
  partitionKey?: string;
  /** When the record reached its stream, in seconds since 1970. @default now */
  arrivedAt?: number | undefined;
  /** Returns the record's content, byte for byte; called only for a record that is quarantined. */
  payload: () => Buffer;
} & (
  | { kind: "event"; record: OutboxRecord }
  | { kind: "ignored" }
  | { kind: "undecodable"; reason: string; identity?: EventIdentity }
);
