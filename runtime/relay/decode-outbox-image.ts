import type { AttributeValue } from "aws-lambda";
import { type CapturedFields, type DecodedEvent, decodeCaptured } from "./decode-captured";

/** Decodes an outbox item as DynamoDB spells it in its stream. */
export function decodeOutboxImage(image: Record<string, AttributeValue> = {}): DecodedEvent {
  const fields = Object.entries(image).map(([name, value]) => [name, textOf(value)]);
  // The outbox item's fields are the record's, see outbox/dynamodb-writes.ts.
  return decodeCaptured(Object.fromEntries(fields) as CapturedFields);
}

/** Whoever may write the table may have put anything there. */
function textOf(value: AttributeValue | null): string | undefined {
  return value?.S ?? value?.N;
}
