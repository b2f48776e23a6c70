import type { AttributeValue, DynamoDBRecord } from "aws-lambda";
import { type CapturedFields, type DecodedEvent, decodeCaptured } from "./decode-captured";
import { makeRelay, type RelayRecord } from "./relay-batch";

/** Makes the relay of a microservice: from its outbox table's stream to the bus. */
export function makeDynamoRelay() {
  return makeRelay(decode);
}

/** Only an insert is an event: items that expire or are removed by hand are ignored. */
function decode({ eventName, dynamodb = {} }: DynamoDBRecord): RelayRecord {
  const sequenceNumber = dynamodb.SequenceNumber ?? "";
  const payload = () => Buffer.from(JSON.stringify(dynamodb));
  if (eventName !== "INSERT") return { kind: "ignored", sequenceNumber, payload };
  return { ...decodeOutboxImage(dynamodb.NewImage), sequenceNumber, payload };
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
