import type { _Record, AttributeValue as SdkAttribute } from "@aws-sdk/client-dynamodb-streams";
import type { AttributeValue, DynamoDBRecord, StreamRecord as DynamoDBChange } from "aws-lambda";
import type { StreamRecord } from "./stream-reader";

/** About what a record's other fields take in the function's payload. */
const ENVELOPE_BYTES = 512;

/**
 * Turns a record of a table's stream into the shape of a Lambda event: binary values in base64, the time in seconds, and the user
 * identity (which marks a deletion by TTL) in lower camel case. Source: AWS Lambda developer guide, "Using AWS Lambda with Amazon
 * DynamoDB", example event; Amazon DynamoDB developer guide, "DynamoDB Streams and Time to Live".
 */
export function dynamoRecord(streamArn: string, record: _Record): StreamRecord {
  const {
    Keys,
    NewImage,
    OldImage,
    SequenceNumber = "",
    SizeBytes,
    StreamViewType,
    ApproximateCreationDateTime,
  } = record.dynamodb ?? {};
  const arrivedAt = ApproximateCreationDateTime?.getTime() ?? Date.now();
  const change: DynamoDBChange = {
    ApproximateCreationDateTime: arrivedAt / 1000,
    ...(Keys && { Keys: imageOf(Keys) }),
    ...(NewImage && { NewImage: imageOf(NewImage) }),
    ...(OldImage && { OldImage: imageOf(OldImage) }),
    SequenceNumber,
    ...(SizeBytes === undefined ? {} : { SizeBytes }),
    ...(StreamViewType && { StreamViewType }),
  };
  const { PrincipalId, Type } = record.userIdentity ?? {};
  const event: DynamoDBRecord = {
    ...(record.eventID && { eventID: record.eventID }),
    ...(record.eventName && { eventName: record.eventName }),
    eventVersion: record.eventVersion ?? "1.1",
    eventSource: "aws:dynamodb",
    ...(record.awsRegion && { awsRegion: record.awsRegion }),
    dynamodb: change,
    eventSourceARN: streamArn,
    ...(record.userIdentity && { userIdentity: { principalId: PrincipalId, type: Type } }),
  };
  return {
    sequenceNumber: SequenceNumber,
    arrivedAt,
    orderingKey: orderingKey(Keys ?? {}),
    bytes: JSON.stringify(change).length + ENVELOPE_BYTES,
    event,
  };
}

/** Order is kept "at the item (partition and sort key) level", so the whole key is what orders. */
function orderingKey(keys: Record<string, SdkAttribute>): string {
  return JSON.stringify(Object.entries(imageOf(keys)).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function imageOf(image: Record<string, SdkAttribute>): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(image).map(([name, value]) => [name, attributeOf(value)]));
}

function attributeOf(value: SdkAttribute): AttributeValue {
  if (value.B !== undefined) return { B: base64(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(base64) };
  if (value.L !== undefined) return { L: value.L.map(attributeOf) };
  if (value.M !== undefined) return { M: imageOf(value.M) };
  if (value.S !== undefined) return { S: value.S };
  if (value.N !== undefined) return { N: value.N };
  if (value.BOOL !== undefined) return { BOOL: value.BOOL };
  if (value.SS !== undefined) return { SS: value.SS };
  if (value.NS !== undefined) return { NS: value.NS };
  return { NULL: true };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
