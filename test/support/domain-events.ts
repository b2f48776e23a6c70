/** Factories of what subscribers receive. */
import type { SQSEvent } from "aws-lambda";
import { type CloudEvent, type OutboxRecord, toCloudEvent } from "../../runtime/envelope/cloud-event";
import { outboxRecord } from "./outbox-records";

/** A domain event in its envelope. */
export function cloudEvent(overrides: Partial<OutboxRecord> = {}): CloudEvent {
  return toCloudEvent(outboxRecord(overrides));
}

/** The EventBridge event that carries a domain event; fields of the detail can be replaced, or removed with undefined. */
export function bridgeEvent(event: CloudEvent, detail: Record<string, unknown> = {}) {
  return {
    version: "0",
    id: "bridge-1",
    source: event.source,
    "detail-type": event.type,
    detail: { ...event, ...detail } as Record<string, unknown>,
  };
}

/** A queue's batch: bodies that are strings stay as they are, domain events are wrapped as EventBridge does. Ids: "m1", "m2" ... */
export function queueBatch(bodies: (CloudEvent | string)[]): SQSEvent {
  const Records = bodies.map((body, index) => ({
    messageId: `m${index + 1}`,
    body: typeof body === "string" ? body : JSON.stringify(bridgeEvent(body)),
  }));
  // The rest of a message is not what handlers read.
  return { Records } as unknown as SQSEvent;
}
