/** Factories of events and messages, as subscribers receive them. */
import type { SQSEvent } from "aws-lambda";
import { type CloudEvent, type OutboxRecord, toCloudEvent } from "../../../runtime/envelope/cloud-event";
import { outboxRecord } from "./outbox-records";

/** A domain event in its envelope. */
export function cloudEvent(overrides: Partial<OutboxRecord> = {}): CloudEvent {
  return toCloudEvent(outboxRecord(overrides));
}

/**
 * The EventBridge event that carries a domain event; fields of the detail can be replaced, or removed with
 * undefined.
 */
export function bridgeEvent(event: CloudEvent, detail: Record<string, unknown> = {}) {
  return {
    version: "0",
    id: "bridge-1",
    source: event.source,
    "detail-type": event.type,
    detail: { ...event, ...detail } as Record<string, unknown>,
  };
}

/**
 * A batch of a queue. Strings become bodies unchanged, domain events are wrapped as EventBridge does. Ids:
 * "m1", "m2" ...
 */
export function queueBatch(bodies: (CloudEvent | string)[]): SQSEvent {
  const Records = bodies.map((body, index) => ({
    messageId: `m${index + 1}`,
    body: typeof body === "string" ? body : JSON.stringify(bridgeEvent(body)),
  }));
  // Handlers do not read the rest of a message.
  return { Records } as unknown as SQSEvent;
}
