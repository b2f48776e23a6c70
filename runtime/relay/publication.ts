import { type OutboxRecord, toCloudEvent } from "../envelope/cloud-event";
import type { Publication } from "./batches";

/** An outbox record on its way to the bus, with the stream record that it came in. */
export interface RecordPublication extends Publication {
  sequenceNumber: string;
}

/** Makes the bus entry of an outbox record: source = domain, detail type = event type, detail = the CloudEvent. */
export function publicationOf(
  record: OutboxRecord,
  eventBus: string,
  sequenceNumber: string,
): RecordPublication {
  const event = toCloudEvent(record);
  return {
    sequenceNumber,
    orderingKey: `${record.aggregate}/${record.aggregateId}`,
    entry: {
      EventBusName: eventBus,
      Source: event.source,
      DetailType: event.type,
      Time: new Date(event.time),
      Detail: JSON.stringify(event),
    },
  };
}
