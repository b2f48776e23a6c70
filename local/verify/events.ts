import { aggregatesOf } from "../../runtime/define/domain";
import type { Registry } from "../../registry/load-domains";
import type { CloudEvent } from "../../runtime/envelope/cloud-event";
import type { OutboxEvent, Sources } from "./sources";

/** What comparing the outboxes with their tables and with the bus found. */
export interface EventReport {
  /** Events on the bus by type, repeats left out. */
  byType: Record<string, number>;
  /** Events of an outbox that were never on the bus. */
  lost: string[];
  /** Events on the bus that are in no outbox. */
  unknown: string[];
  /** Times that an event was on the bus again: allowed, and without effect. */
  repeats: number;
  /** Versions of an aggregate without an event, or with several. */
  gaps: string[];
  /** Effects of one event that happened twice. */
  appliedTwice: string[];
  /** Events that hold something that their contract does not publish. */
  leaks: string[];
}

/** Checks that every version of every aggregate has exactly one event, and that the bus had all of them. */
export function compareEvents(
  registry: Registry,
  { outbox, aggregates }: Sources,
  onBus: readonly CloudEvent[],
  privateMark: string,
): EventReport {
  const ids = new Set(outbox.map(({ id }) => id));
  const seen = new Set(onBus.map(({ id }) => id));
  const byType: Record<string, number> = {};
  for (const { type, id } of outbox) if (seen.has(id)) byType[type] = (byType[type] ?? 0) + 1;
  return {
    byType,
    lost: outbox.filter(({ id }) => !seen.has(id)).map(nameOf),
    unknown: [...seen].filter((id) => !ids.has(id)),
    repeats: onBus.length - seen.size,
    gaps: gapsIn(outbox, aggregates),
    appliedTwice: repeatedEffects(outbox),
    leaks: leaksIn(registry, outbox, onBus, privateMark),
  };
}

function nameOf({ aggregate, aggregateId, version, type }: OutboxEvent): string {
  return `${type} of ${aggregate} "${aggregateId}" v${version}`;
}

function gapsIn(outbox: OutboxEvent[], aggregates: Sources["aggregates"]): string[] {
  const versions = new Map<string, number[]>();
  for (const { aggregate, aggregateId, version } of outbox) {
    const key = `${aggregate} "${aggregateId}"`;
    versions.set(key, [...(versions.get(key) ?? []), version]);
  }
  const broken = [...versions].filter(([, found]) => {
    const sorted = [...found].sort((a, b) => a - b);
    return sorted.some((version, index) => version !== index + 1);
  });
  const behind: string[] = [];
  for (const [aggregate, known] of aggregates) {
    for (const [id, { version }] of known) {
      const newest = Math.max(0, ...(versions.get(`${aggregate} "${id}"`) ?? []));
      if (newest !== version)
        behind.push(`${aggregate} "${id}" is at version ${version}, its events at ${newest}`);
    }
  }
  return [...broken.map(([key, found]) => `${key} has events of versions ${found.join(", ")}`), ...behind];
}

/** A reaction changes an aggregate at most once per event; a second change of the same kind would be a second effect. */
function repeatedEffects(outbox: OutboxEvent[]): string[] {
  const effects = new Map<string, number>();
  for (const { aggregate, aggregateId, type, causationId } of outbox) {
    if (!causationId) continue;
    const effect = `${type} of ${aggregate} "${aggregateId}" because of ${causationId}`;
    effects.set(effect, (effects.get(effect) ?? 0) + 1);
  }
  return [...effects].filter(([, times]) => times > 1).map(([effect, times]) => `${effect}: ${times} times`);
}

function leaksIn(
  { modules, microservices }: Registry,
  outbox: OutboxEvent[],
  onBus: readonly CloudEvent[],
  privateMark: string,
): string[] {
  const published = new Map<string, string[]>(
    [...modules, ...microservices].flatMap((domain) =>
      aggregatesOf(domain).map((aggregate) => [aggregate.name, Object.keys(aggregate.state().shape)] as const),
    ),
  );
  const undeclared = outbox.filter(({ aggregate, data }) => {
    const fields = Object.keys((data.state ?? {}) as object);
    return fields.some((field) => !published.get(aggregate)?.includes(field));
  });
  const marked = onBus.filter((event) => JSON.stringify(event).includes(privateMark));
  return [...undeclared.map(nameOf), ...marked.map(({ type, subject }) => `${type} of "${subject}"`)];
}
