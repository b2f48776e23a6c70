import { isDeepStrictEqual } from "node:util";
import type { OutboxEntry } from "../snapshot";

/** A field of an envelope that is not what its outbox entry says. */
export interface Difference {
  field: string;
  expected: unknown;
  found: unknown;
}

/** The id of a CloudEvent; "" if it has none. */
export function eventIdOf(envelope: unknown): string {
  const id = (envelope as { id?: unknown } | null | undefined)?.id;
  return typeof id === "string" ? id : "";
}

/** Compares a CloudEvent with the outbox entry that it was made of. */
export function differences(event: OutboxEntry, envelope: unknown): Difference[] {
  const expected: Record<string, unknown> = {
    id: event.id,
    source: event.aggregate.split(".")[0],
    type: event.type,
    subject: event.aggregateId,
    sequence: String(event.version),
    correlationid: event.correlationId,
    causationid: event.causationId,
    data: event.data,
  };
  const found = envelope as Record<string, unknown>;
  return Object.entries(expected)
    .filter(([field, value]) => !isDeepStrictEqual(found[field], value))
    .map(([field, value]) => ({ field, expected: value, found: found[field] }));
}
