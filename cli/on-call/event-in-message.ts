import { readCloudEvent } from "../../runtime/envelope/cloud-event";
import { parsedJson } from "../../runtime/envelope/portable-data";
import { loggedReason } from "../../runtime/function/private-values";

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
    const { event, version } = readCloudEvent(parsedJson(body));
    const { id, type, source, subject } = event;
    return { event: { id, type, source, aggregateId: subject, version } };
  } catch (error) {
    const { code = "ERROR", reason } = loggedReason(error);
    return { unreadable: `${code}: ${reason}` };
  }
}
