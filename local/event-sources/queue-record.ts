import type { Message, MessageAttributeValue } from "@aws-sdk/client-sqs";
import type { SQSMessageAttributes, SQSRecord, SQSRecordAttributes } from "aws-lambda";
import { readSourceArn } from "./source-arn";

/** A message and what it takes to process it. */
export interface QueueMessage {
  /** As the function gets it. */
  record: SQSRecord;
  /** About how much it adds to the function's payload. */
  bytes: number;
  /** Milliseconds since 1970. */
  sentAt: number;
}

/** About what a message's other fields take in the function's payload. */
const ENVELOPE_BYTES = 1024;

/**
 * Turns a message into the shape of a Lambda event: attributes in lower camel case, binary values in base64. Source: AWS Lambda developer
 * guide, "Using Lambda with Amazon SQS", example event.
 */
export function queueRecord(queueArn: string, message: Message): QueueMessage {
  const {
    MessageId = "",
    ReceiptHandle = "",
    Body = "",
    Attributes = {},
    MD5OfBody = "",
    MD5OfMessageAttributes,
  } = message;
  const record: SQSRecord = {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    // The poller asks for all system attributes, and a queue has always set these.
    attributes: Attributes as unknown as SQSRecordAttributes,
    messageAttributes: messageAttributes(message.MessageAttributes ?? {}),
    md5OfBody: MD5OfBody,
    ...(MD5OfMessageAttributes && { md5OfMessageAttributes: MD5OfMessageAttributes }),
    eventSource: "aws:sqs",
    eventSourceARN: queueArn,
    awsRegion: readSourceArn(queueArn).region,
  };
  const attributeBytes = JSON.stringify(record.messageAttributes).length;
  return {
    record,
    bytes: jsonBytes(Body) + attributeBytes + ENVELOPE_BYTES,
    sentAt: Number(Attributes.SentTimestamp ?? Date.now()),
  };
}

function messageAttributes(attributes: Record<string, MessageAttributeValue>): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { StringValue, BinaryValue, DataType = "String" }]) => [
      name,
      {
        ...(StringValue !== undefined && { stringValue: StringValue }),
        ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString("base64") }),
        stringListValues: [],
        binaryListValues: [],
        dataType: DataType,
      },
    ]),
  );
}

/** A body that is JSON itself grows when its quotes are escaped. */
function jsonBytes(body: string): number {
  return Buffer.byteLength(JSON.stringify(body));
}
