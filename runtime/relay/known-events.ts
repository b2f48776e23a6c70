import { type AnyDomain, aggregatesOf } from "../define/domain";
import type { OutboxRecord } from "../envelope/cloud-event";

/** What a relay publishes: "<domain>.<Aggregate>" -> its event types. Plain data, captured in its package. */
export type KnownEvents = Record<string, string[]>;

/** The events of these domains, in a fixed order, so that the same domains give the same package. */
export function eventsOf(domains: readonly Pick<AnyDomain, "tables">[]): KnownEvents {
  const aggregates = domains.flatMap(aggregatesOf);
  const known = aggregates.map(({ name, events }) => [name, Object.keys(events).sort()] as const);
  return Object.fromEntries(known.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Whether an aggregate belongs to the relay's domains. */
export function isKnownAggregate(known: KnownEvents, aggregate: string): boolean {
  return Object.hasOwn(known, aggregate);
}

/** Why an event is none of the relay's domains; undefined when it is one. */
export function unknownEvent(known: KnownEvents, { aggregate, type }: OutboxRecord): string | undefined {
  if (!isKnownAggregate(known, aggregate)) {
    return `The aggregate${quotedName(aggregate)} is not one of this relay's domains.`;
  }
  if (known[aggregate]?.includes(type)) return undefined;
  return `The contract of "${aggregate}" has no event type${quotedName(type)}.`;
}

/** What is no name is not quoted: it may be a value in the wrong field. */
function quotedName(text: string): string {
  return /^[A-Za-z][A-Za-z.-]{0,80}$/.test(text) ? ` "${text}"` : "";
}
