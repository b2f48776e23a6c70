import { type SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

/** A record that cannot be decoded, as it is set aside. */
export interface UndecodableRecord {
  /** ARN of the stream. */
  stream: string;
  sequenceNumber: string;
  /** Kinesis only: under it the record is put back. */
  partitionKey?: string;
  /** Why it cannot be decoded. */
  reason: string;
  /** Its content, byte for byte. */
  payload: Buffer;
}

/** Body of a message of the quarantine queue: a record, or a part of one. */
export interface QuarantineMessage extends Omit<UndecodableRecord, "payload"> {
  /** From 1. */
  part: number;
  parts: number;
  /** Base64. */
  payload: string;
}

/**
 * Bytes of payload a message carries: base64 makes 4 of 3, and 256 KiB is what every queue takes (1 MiB since August 2025). A
 * Kinesis record may be larger, so it is set aside in parts.
 */
const PART_BYTES = 180_000;

/**
 * Sets a record aside in the quarantine queue, with its payload (base64, in parts if need be) and what is needed to find and put
 * it back. When this throws, the record is not set aside and must be reported as failed.
 */
export async function quarantine(
  client: SQSClient,
  queueUrl: string,
  record: UndecodableRecord,
): Promise<void> {
  const parts = Math.max(1, Math.ceil(record.payload.length / PART_BYTES));
  for (let part = 1; part <= parts; part += 1) {
    const piece = record.payload.subarray((part - 1) * PART_BYTES, part * PART_BYTES);
    const body: QuarantineMessage = { ...record, part, parts, payload: piece.toString("base64") };
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(body) }));
  }
}
