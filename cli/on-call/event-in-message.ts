import { readCloudEvent } from "../../runtime/envelope/cloud-event";
import { errorCode } from "../../runtime/function/coded-error";

/** The domain event that a queue's message holds. */
export interface EventInMessage {
  /** Absent if the message is not a domain event. */
  event?: { id: string; type: string; source: string; aggregateId: string; version: number };
  /** Why the message is not a domain event. */
  unreadable?: string;
}

/** Reads the domain event in a message that a rule delivered. */
export function eventIn(body: string): EventInMessage {
  try {
    const { event, version } = readCloudEvent(JSON.parse(body));
    const { id, type, source, subject } = event;
    return { event: { id, type, source, aggregateId: subject, version } };
  } catch (error) {
    return { unreadable: `${errorCode(error) ?? "ERROR"}: ${(error as Error).message}` };
  }
}
