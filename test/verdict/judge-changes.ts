import { isDeepStrictEqual } from "node:util";
import { type Facts, keyOf, nameOfEvent, nameOfVersion, publicState } from "./facts";
import { type Finding, finder } from "./finding";
import { PRIVATE_NAMES } from "./landscape";
import type { AuditedChange, OutboxEntry } from "./snapshot";

const finding = finder("ONE_EVENT_PER_CHANGE");

/** Compares the changes that the audit recorded with the outboxes, one by one and both ways. */
export function judgeChanges({ snapshot, eventsById, eventsByVersion }: Facts): Finding[] {
  const findings: Finding[] = [];
  const changed = new Set<string>();
  for (const change of snapshot.changes) {
    const { aggregate, id, newVersion } = change;
    const key = keyOf(aggregate, id, newVersion);
    changed.add(key);
    const where = nameOfVersion(aggregate, id, newVersion);
    const [event, ...more] = eventsByVersion.get(key) ?? [];
    if (!event) findings.push(finding(where, `an event of this ${change.operation}`, "none"));
    else if (more.length > 0) findings.push(finding(where, "one event", `${more.length + 1} events`));
    else findings.push(...compare(change, event));
  }
  for (const event of snapshot.outbox) {
    if (!changed.has(keyOf(event.aggregate, event.aggregateId, event.version)))
      findings.push(finding(nameOfEvent(event), "a committed change that it tells of", "none"));
  }
  for (const [id, { length }] of eventsById)
    if (length > 1) findings.push(finding(`event "${id}"`, "an id of its own", `${length} events with it`));
  return findings;
}

function compare(change: AuditedChange, event: OutboxEntry): Finding[] {
  const where = nameOfEvent(event);
  const findings: Finding[] = [];
  const expected = publicState(change.aggregate, change.row);
  const state = withoutPrivate(event.data.state);
  if (!isDeepStrictEqual(state, expected)) findings.push(finding(where, expected, state));
  if (change.transaction !== event.transaction) {
    const expectedTransaction = `transaction ${change.transaction ?? "unknown"}, as its change`;
    findings.push(finding(where, expectedTransaction, `transaction ${event.transaction ?? "unknown"}`));
  }
  return findings;
}

/** Private fields are another rule's: they are to be told once. */
function withoutPrivate(state: unknown): unknown {
  if (typeof state !== "object" || state === null) return state;
  return Object.fromEntries(Object.entries(state).filter(([name]) => !PRIVATE_NAMES.has(name)));
}
