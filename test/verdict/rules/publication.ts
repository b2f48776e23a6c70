import { isDeepStrictEqual } from "node:util";
import { type Facts, keyOf, nameOfEvent } from "../facts";
import { type Finding, finder } from "../finding";
import type { OutboxEntry } from "../snapshot";

const finding = finder("EVERY_EVENT_PUBLISHED");

/**
 * Compares the events on the bus with the outboxes. Duplicates are allowed if they are identical. The first time that
 * it is there, an event comes after all earlier ones of its aggregate.
 */
export function judgePublication({ snapshot, journal, eventsById }: Facts): Finding[] {
  const injected = new Set(
    journal.poison.flatMap((poison) => (poison.kind === "undecodable" ? [] : [poison.eventId])),
  );
  const findings: Finding[] = [];
  const published = new Set<string>();
  const newest = new Map<string, number>();
  for (const envelope of snapshot.bus) {
    const id = eventIdOf(envelope);
    const [event] = eventsById.get(id) ?? [];
    const isFirst = !published.has(id);
    published.add(id);
    if (event) {
      const key = keyOf(event.aggregate, event.aggregateId);
      const before = newest.get(key) ?? 0;
      newest.set(key, Math.max(before, event.version));
      if (isFirst && event.version < before)
        findings.push(
          finding(`${nameOfEvent(event)} on the bus`, "before later versions", `after ${before}`),
        );
      for (const { field, expected, found } of differences(event, envelope))
        findings.push(finding(`${field} of ${nameOfEvent(event)} on the bus`, expected, found));
    } else if (!injected.has(id)) {
      findings.push(finding(`event "${id}" on the bus`, "an event of an outbox", envelope));
    }
  }
  for (const event of snapshot.outbox)
    if (!published.has(event.id)) findings.push(finding(nameOfEvent(event), "on the bus", "never there"));
  return findings;
}

/** A field of an envelope that differs from its outbox entry. */
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

/** Compares a CloudEvent with its outbox entry. */
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
