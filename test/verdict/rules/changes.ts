import { isDeepStrictEqual } from "node:util";
import {
  aggregateFacts,
  type Facts,
  keyOf,
  MONOLITH_OUTBOX,
  nameOfEvent,
  nameOfVersion,
  publicState,
} from "../facts";
import { type Finding, finder } from "../finding";
import type { AuditedChange, OutboxEntry } from "../snapshot";

const finding = finder("ONE_EVENT_PER_CHANGE");

/**
 * Compares the audited changes with the outboxes, one by one and both ways. An event is in its domain's outbox, and its
 * contract has its type.
 */
export function judgeChanges(facts: Facts): Finding[] {
  const { snapshot, eventsById, eventsByVersion } = facts;
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
    else findings.push(...compare(change, event, facts));
  }
  for (const event of snapshot.outbox) {
    const { domain, store, events = [] } = aggregateFacts(facts, event.aggregate) ?? {};
    const outbox = store === "postgres" ? MONOLITH_OUTBOX : `${domain ?? "no"}-outbox`;
    if (event.outbox !== outbox)
      findings.push(finding(nameOfEvent(event), `in "${outbox}"`, `in "${event.outbox}"`));
    if (!events.includes(event.type))
      findings.push(finding(nameOfEvent(event), `one of ${events.join(", ")}`, event.type));
    if (!changed.has(keyOf(event.aggregate, event.aggregateId, event.version)))
      findings.push(finding(nameOfEvent(event), "a committed change", "none"));
  }
  for (const [id, { length }] of eventsById)
    if (length > 1) findings.push(finding(`event "${id}"`, "a unique id", `${length} events with it`));
  return findings;
}

function compare(change: AuditedChange, event: OutboxEntry, facts: Facts): Finding[] {
  const where = nameOfEvent(event);
  const findings: Finding[] = [];
  const expected = publicState(facts, change.aggregate, change.row);
  const state = withoutPrivate(event.data.state, facts);
  if (!isDeepStrictEqual(state, expected)) findings.push(finding(where, expected, state));
  if (change.transaction !== event.transaction) {
    const expectedTransaction = `transaction ${change.transaction ?? "unknown"}, as its change`;
    findings.push(finding(where, expectedTransaction, `transaction ${event.transaction ?? "unknown"}`));
  }
  return findings;
}

/** Private fields are reported by the rule for privacy only. */
function withoutPrivate(state: unknown, { landscape }: Facts): unknown {
  if (typeof state !== "object" || state === null) return state;
  return Object.fromEntries(Object.entries(state).filter(([name]) => !landscape.privateNames.has(name)));
}
