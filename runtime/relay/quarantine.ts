import { type SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

/** A record that is not published: it cannot be decoded, is not taken by the bus, or waits behind such a one. */
export interface QuarantinedRecord {
  /** ARN of the stream. */
  stream: string;
  sequenceNumber: string;
  /** Kinesis only: the key to put the record back with. */
  partitionKey?: string;
  /** Its aggregate, "<domain>.<Aggregate>/<id>", and version; absent where they cannot be told. */
  aggregateKey?: string;
  version?: number;
  /** Why it is not published. */
  reason: string;
  /** Its content, byte for byte. */
  payload: Buffer;
}

/** Body of a message in the quarantine queue: a record, or a part of one. */
export interface QuarantineMessage extends Omit<QuarantinedRecord, "payload"> {
  /** From 1. */
  part: number;
  parts: number;
  /** Base64. */
  payload: string;
}

/**
 * Bytes of payload in a message: base64 turns 3 bytes into 4, and every queue takes 256 KiB (1 MiB since
 * August 2025). A Kinesis record may be larger, so it is quarantined in parts.
 */
const PART_BYTES = 180_000;

/**
 * Sends a record to the quarantine queue, with its payload (base64, in parts if it is large) and everything
 * that is needed to put it back. When this throws, the record is not quarantined and must be reported as
 * failed.
 *
 * @throws the SDK's own errors
 */
export async function quarantine(
  client: SQSClient,
  queueUrl: string,
  record: QuarantinedRecord,
  abortSignal?: AbortSignal,
): Promise<void> {
  const parts = Math.max(1, Math.ceil(record.payload.length / PART_BYTES));
  for (let part = 1; part <= parts; part += 1) {
    const piece = record.payload.subarray((part - 1) * PART_BYTES, part * PART_BYTES);
    const body: QuarantineMessage = { ...record, part, parts, payload: piece.toString("base64") };
    const send = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(body) });
    await client.send(send, abortSignal ? { abortSignal } : {});
  }
}
