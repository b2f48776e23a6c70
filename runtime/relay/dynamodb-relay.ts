import type { AttributeValue, DynamoDBRecord } from "aws-lambda";
import { type CapturedFields, type DecodedEvent, decodeCaptured } from "./decode-captured";
import type { KnownEvents } from "./known-events";
import { makeRelay } from "./relay-batch";
import type { RelayRecord } from "./relay-record";

/**
 * Makes the relay of a microservice: from its outbox table's stream to the bus.
 *
 * @param known the events of its domain; others are quarantined
 */
export function makeDynamoRelay(known: KnownEvents) {
  return makeRelay(known, decode);
}

/** Only an insert is an event: items that expire or are removed by hand are ignored. */
function decode({ eventName, dynamodb = {} }: DynamoDBRecord): RelayRecord {
  const sequenceNumber = dynamodb.SequenceNumber ?? "";
  const payload = () => Buffer.from(JSON.stringify(dynamodb));
  const position = { sequenceNumber, arrivedAt: dynamodb.ApproximateCreationDateTime, payload };
  if (eventName !== "INSERT") return { kind: "ignored", ...position };
  return { ...decodeOutboxImage(dynamodb.NewImage), ...position };
}

/** Decodes an outbox item from its image in a DynamoDB stream. */
export function decodeOutboxImage(image: Record<string, AttributeValue> = {}): DecodedEvent {
  const fields = Object.entries(image).map(([name, value]) => [name, textOf(value)]);
  // The item's attributes are the record's fields, see dynamodb/writes.ts.
  return decodeCaptured(Object.fromEntries(fields) as CapturedFields);
}

/** Anyone with write access to the table may have put anything there. */
function textOf(value: AttributeValue | null): string | undefined {
  return value?.S ?? value?.N;
}
