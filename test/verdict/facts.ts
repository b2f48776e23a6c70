import type { Finding } from "./finding";
import type { AuditedChange, InboxRecord, OutboxEntry, Row, Snapshot } from "./snapshot";
import type { WritersJournal } from "./writers-journal";

/** The table with the events of all modules of the monolith. */
export const MONOLITH_OUTBOX = "outbox";

/** An aggregate and the table that holds it. */
export interface AggregateFacts {
  /** "<domain>.<Aggregate>" */
  name: string;
  domain: string;
  store: "postgres" | "dynamodb";
  /** Table of the monolith, or logical name of the DynamoDB table. */
  table: string;
  /** Column of the key. */
  key: string;
  /** Public field -> column. */
  columns: Readonly<Record<string, string>>;
  /** Public fields that events lack where their column is null. */
  optional: readonly string[];
  /** Public field of objects or lists -> what of it is public; a column of JSON may hold more. */
  parts: Readonly<Record<string, Parts>>;
  /** Private columns. */
  privateColumns: readonly string[];
  /** Event types. */
  events: readonly string[];
}

/** What is public of a value: the part of a JSON schema that says which fields it has, at every depth. */
export interface Parts {
  type?: string;
  const?: unknown;
  properties?: Readonly<Record<string, Parts>>;
  additionalProperties?: boolean | Parts;
  items?: Parts;
  prefixItems?: readonly Parts[];
  anyOf?: readonly Parts[];
  oneOf?: readonly Parts[];
}

/** A projection of an aggregate. */
export interface ProjectionFacts {
  /** Logical name of the table. */
  table: string;
  /** Logical name of the subscription that fills it. */
  subscription: string;
  /** The subscribing domain. */
  domain: string;
  aggregate: string;
  /** The domain's `select`. */
  select: (state: Row) => Row;
}

/** A reaction to one event type. */
export interface ReactionFacts {
  subscription: string;
  domain: string;
  /** Its name in the inbox. */
  consumer: string;
  to: { aggregate: string; type: string };
}

/** Everything that the verdict knows about the domains. */
export interface Landscape {
  aggregates: readonly AggregateFacts[];
  projections: readonly ProjectionFacts[];
  reactions: readonly ReactionFacts[];
  /** Logical names of the microservices' outbox tables; the monolith's modules share one. */
  outboxes: readonly string[];
  /** Logical names of the microservices' inbox tables; the monolith's modules share one. */
  inboxes: readonly string[];
  /** Names of private fields that no contract publishes: no event and no projection may have them. */
  privateNames: ReadonlySet<string>;
  known: Known;
}

/** What a project knows about its domains beside what they register. */
export interface Known {
  /** Consumer of a reaction -> judges its effects. @default only the number of effects is judged */
  effects?: Readonly<Record<string, EffectJudge>>;
  /** Maximum events of one command. @default one per aggregate */
  mostEventsPerCommand?: number;
}

/** A snapshot and a journal, indexed for the rules. */
export interface Facts {
  landscape: Landscape;
  snapshot: Snapshot;
  journal: WritersJournal;
  /** Aggregate (`keyOf`) -> its changes, oldest first. */
  histories: ReadonlyMap<string, readonly AuditedChange[]>;
  /** Aggregate and version (`keyOf`) -> the change that made it. */
  changes: ReadonlyMap<string, AuditedChange>;
  /** Event id -> entries of outboxes. */
  eventsById: ReadonlyMap<string, readonly OutboxEntry[]>;
  /** Aggregate and version (`keyOf`) -> entries of outboxes. */
  eventsByVersion: ReadonlyMap<string, readonly OutboxEntry[]>;
  /** Id of a request or event -> the events that it caused. */
  causedBy: ReadonlyMap<string, readonly OutboxEntry[]>;
  /** Consumer and message (`keyOf`) -> inbox records. */
  inbox: ReadonlyMap<string, readonly InboxRecord[]>;
  /** Subscription and event (`keyOf`) of poison that the handler always refuses. */
  refused: ReadonlySet<string>;
}

/** An event that a reaction processed, and the effects. */
export interface Reacted {
  event: OutboxEntry;
  /** The events that the reaction's domain raised because of it. */
  effects: readonly OutboxEntry[];
  record: InboxRecord;
}

/** The difference between the expected and the actual effect of a reaction. */
export interface EffectFault {
  expected: unknown;
  found: unknown;
}

/** Compares the effects of one event with what its reaction must do; returns undefined if they are right. */
export type EffectJudge = (reacted: Reacted, facts: Facts) => EffectFault | undefined;

/** One rule of the verdict. */
export type Rule = (facts: Facts) => Finding[];

/** Indexes a snapshot and a journal, so that no rule needs to search. */
export function factsOf(snapshot: Snapshot, journal: WritersJournal, landscape: Landscape): Facts {
  const { changes, outbox, inbox } = snapshot;
  const refused = journal.poison.filter((poison) => poison.kind === "refused");
  return {
    landscape,
    snapshot,
    journal,
    histories: grouped(changes, ({ aggregate, id }) => keyOf(aggregate, id)),
    changes: new Map(
      changes.map((change) => [keyOf(change.aggregate, change.id, change.newVersion), change]),
    ),
    eventsById: grouped(outbox, ({ id }) => id),
    eventsByVersion: grouped(outbox, ({ aggregate, aggregateId, version }) =>
      keyOf(aggregate, aggregateId, version),
    ),
    causedBy: grouped(outbox, ({ causationId }) => causationId),
    inbox: grouped(inbox, ({ consumer, messageId }) => keyOf(consumer, messageId)),
    refused: new Set(refused.map(({ subscription, eventId }) => keyOf(subscription, eventId))),
  };
}

/** A key of several parts, none of which contains a line break. */
export function keyOf(...parts: (string | number)[]): string {
  return parts.join("\n");
}

/** Groups items; those without a key are left out. */
export function grouped<T>(items: readonly T[], key: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

/** The facts of an aggregate; undefined for one that no domain has. */
export function aggregateFacts({ landscape }: Facts, aggregate: string): AggregateFacts | undefined {
  return landscape.aggregates.find(({ name }) => name === aggregate);
}

/**
 * The public state in a row of an aggregate's table, without fields that it lacks; null if there is no row.
 */
export function publicState(facts: Facts, aggregate: string, row: Row | null): Row | null {
  const { columns = {}, optional = [], parts = {} } = aggregateFacts(facts, aggregate) ?? {};
  const state = Object.entries(columns).map(([field, column]) => {
    const isAbsent = row?.[column] === null && optional.includes(field);
    return [field, isAbsent ? undefined : publicPart(row?.[column], parts[field])] as const;
  });
  return row && present(Object.fromEntries(state));
}

/** What is public of a value. */
export function publicPart(value: unknown, parts: Parts = {}): unknown {
  const variants = parts.anyOf ?? parts.oneOf;
  if (variants) return publicPart(value, variants.find((variant) => fits(value, variant)) ?? {});
  if (Array.isArray(value))
    return value.map((one, place) => publicPart(one, parts.prefixItems?.[place] ?? parts.items));
  const { properties, additionalProperties: others = properties === undefined } = parts;
  if (typeof value !== "object" || value === null) return value;
  const inside = Object.entries(value).flatMap(([name, one]) => {
    const known = properties && Object.hasOwn(properties, name) ? properties[name] : others;
    return known ? [[name, publicPart(one, known === true ? {} : known)] as const] : [];
  });
  return Object.fromEntries(inside);
}

/** Whether a value is of a variant: null, or an object with its constants. */
function fits(value: unknown, { type, properties = {} }: Parts): boolean {
  if (value === null || type === "null") return value === null && type === "null";
  return Object.entries(properties).every(
    ([name, part]) => part.const === undefined || (value as Row)[name] === part.const,
  );
}

/** Fields that are not undefined; no store keeps undefined ones. */
export function present(fields: Row): Row {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The row of an aggregate after the change of an event. */
export function rowAfter({ changes }: Facts, { aggregate, aggregateId, version }: OutboxEntry): Row {
  return changes.get(keyOf(aggregate, aggregateId, version))?.row ?? {};
}

/** The row of an aggregate before the change of an event. */
export function rowBefore({ changes }: Facts, { aggregate, aggregateId, version }: OutboxEntry): Row {
  return changes.get(keyOf(aggregate, aggregateId, version - 1))?.row ?? {};
}

/** How findings name a version of an aggregate. */
export function nameOfVersion(aggregate: string, id: string, version: number | string): string {
  return `${aggregate} "${id}" version ${version}`;
}

/** How findings name an event. */
export function nameOfEvent({ type, id, aggregate, aggregateId, version }: OutboxEntry): string {
  return `${type} "${id}" of ${nameOfVersion(aggregate, aggregateId, version)}`;
}
