import type { Context, DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { handler } from "../function/handler";
import { decodeOutboxImage } from "./decode-outbox-image";
import { relayBatch, type StreamBatchResponse, type StreamRecord } from "./relay-batch";
import { RELAY_VARIABLES, relayTargets } from "./targets";

/** Makes the relay of a microservice: what was added to its outbox table, from the table's stream to the bus. */
export function makeDynamoRelay() {
  return handler(RELAY_VARIABLES, (environment) => {
    const targets = relayTargets(environment);
    return async (event: DynamoDBStreamEvent, context: Context): Promise<StreamBatchResponse> => {
      const stream = event.Records[0]?.eventSourceARN ?? "";
      return relayBatch(event.Records.map(decode), stream, targets, () => context.getRemainingTimeInMillis());
    };
  });
}

/** Only what was added is an event: items that expire or are removed by hand are left out. */
function decode({ eventName, dynamodb = {} }: DynamoDBRecord): StreamRecord {
  const sequenceNumber = dynamodb.SequenceNumber ?? "";
  const payload = () => Buffer.from(JSON.stringify(dynamodb));
  if (eventName !== "INSERT") return { kind: "ignored", sequenceNumber, payload };
  return { ...decodeOutboxImage(dynamodb.NewImage), sequenceNumber, payload };
}
