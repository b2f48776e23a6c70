import type { Context, KinesisStreamEvent } from "aws-lambda";
import { handler } from "../function/handler";
import { decodeDmsRecord } from "./decode-dms-record";
import { relayBatch, type StreamBatchResponse, type StreamRecord } from "./relay-batch";
import { RELAY_VARIABLES, relayTargets } from "./targets";

/** Makes the relay of the monolith: what AWS DMS captured from the outbox, from Kinesis to the bus. */
export function makeKinesisRelay() {
  return handler(RELAY_VARIABLES, (environment) => {
    const targets = relayTargets(environment);
    return async (event: KinesisStreamEvent, context: Context): Promise<StreamBatchResponse> => {
      const stream = event.Records[0]?.eventSourceARN ?? "";
      const records = event.Records.map(({ kinesis }): StreamRecord => {
        const payload = Buffer.from(kinesis.data, "base64");
        const { sequenceNumber, partitionKey } = kinesis;
        return { ...decodeDmsRecord(payload), sequenceNumber, partitionKey, payload: () => payload };
      });
      return relayBatch(records, stream, targets, () => context.getRemainingTimeInMillis());
    };
  });
}
