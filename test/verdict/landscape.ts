import { z } from "zod";
import type { AnyDomain } from "../../runtime/define/domain";
import type { EffectJudge } from "./rules/reactions";
import type { Row } from "./snapshot";

/*
 * What the verdict knows of the domains. It is read off their contracts by code of its own: code that is shared with the program would
 * repeat the program's mistakes. Of the runtime only types are imported.
 */

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
  /** Private columns. */
  privateColumns: readonly string[];
  /** Event types. */
  events: readonly string[];
}

/** A projection: what of which aggregate is copied where. */
export interface ProjectionFacts {
  /** Logical name of the table. */
  table: string;
  /** Logical name of the subscription that fills it. */
  subscription: string;
  /** The domain that it belongs to. */
  domain: string;
  aggregate: string;
  /** The domain's own choice of fields. */
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

/** All that the verdict knows of the domains. */
export interface Landscape {
  aggregates: readonly AggregateFacts[];
  projections: readonly ProjectionFacts[];
  reactions: readonly ReactionFacts[];
  /** Logical names of the microservices' outbox tables; the monolith's modules share one. */
  outboxes: readonly string[];
  /** Logical names of the microservices' inbox tables; the monolith's modules share one. */
  inboxes: readonly string[];
  /** Names that only private fields bear: no event and no projection may have them. */
  privateNames: ReadonlySet<string>;
  known: Known;
}

/** What a project knows of its domains beside what they register. */
export interface Known {
  /** Consumer of a reaction -> compares its effects with what it has to do. @default only their number is judged */
  effects?: Readonly<Record<string, EffectJudge>>;
  /** No command raises more events. @default no more than one of each aggregate */
  mostEventsPerCommand?: number;
}

/** Reads the landscape off the registered domains. */
export function landscapeOf(domains: readonly AnyDomain[], known: Known = {}): Landscape {
  const microservices = domains.filter(({ kind }) => kind === "microservice");
  const aggregates = domains.flatMap(aggregatesOf);
  return {
    aggregates,
    projections: domains.flatMap(projectionsOf),
    reactions: domains.flatMap(reactionsOf),
    outboxes: microservices.map(({ name }) => `${name}-outbox`),
    inboxes: microservices.map(({ name }) => `${name}-inbox`),
    privateNames: privateNames(domains, aggregates),
    known,
  };
}

function aggregatesOf({ name: domain, kind, tables }: AnyDomain): AggregateFacts[] {
  const isModule = kind === "monolith-module";
  return Object.entries(tables).map(([table, { aggregate, private: hidden, columns }]) => {
    const column = (field: string) => (isModule ? (columns[field] ?? inSnakeCase(field)) : field);
    const fields = Object.keys(aggregate.state().shape);
    return {
      name: aggregate.name,
      domain,
      store: isModule ? "postgres" : "dynamodb",
      table: isModule ? table : `${domain}-${table}-table`,
      key: column(aggregate.key),
      columns: Object.fromEntries(fields.map((field) => [field, column(field)])),
      privateColumns: Object.keys(hidden().shape).map(column),
      events: Object.keys(aggregate.events),
    };
  });
}

/** As the author's API documents it: "priceCents" is kept in "price_cents", "siteURL" in "site_url". */
function inSnakeCase(field: string): string {
  const words = field.match(/[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+/g) ?? [field];
  return words.join("_").toLowerCase();
}

function projectionsOf({ name: domain, subscriptions }: AnyDomain): ProjectionFacts[] {
  return Object.entries(subscriptions).flatMap(([name, subscription]) =>
    subscription.kind === "project"
      ? {
          table: `${domain}-${name}-projection`,
          subscription: `${domain}-on-${name}`,
          domain,
          aggregate: subscription.aggregate.name,
          select: subscription.select as ProjectionFacts["select"],
        }
      : [],
  );
}

function reactionsOf({ name: domain, subscriptions }: AnyDomain): ReactionFacts[] {
  return Object.entries(subscriptions).flatMap(([name, subscription]) =>
    subscription.kind === "react"
      ? Object.keys(subscription.on).map((type) => ({
          subscription: `${domain}-on-${name}`,
          domain,
          consumer: `${domain}.${name}`,
          to: { aggregate: subscription.aggregate.name, type },
        }))
      : [],
  );
}

/** Private fields and columns, without names that some contract publishes: those say nothing about where a value comes from. */
function privateNames(domains: readonly AnyDomain[], aggregates: readonly AggregateFacts[]): Set<string> {
  const published = new Set(
    domains.flatMap(({ tables }) =>
      Object.values(tables).flatMap(({ aggregate }) => [
        ...namesIn(aggregate.state()),
        ...Object.values(aggregate.events).flatMap(({ change }) => namesIn(change())),
      ]),
    ),
  );
  const fields = domains.flatMap(({ tables }) =>
    Object.values(tables).flatMap((table) => Object.keys(table.private().shape)),
  );
  const columns = aggregates.flatMap(({ privateColumns }) => privateColumns);
  return new Set([...fields, ...columns].filter((name) => !published.has(name)));
}

/** The names of a schema's fields, at any depth. */
function namesIn(schema: z.ZodType): string[] {
  const names: string[] = [];
  const look = (part: unknown): void => {
    if (typeof part !== "object" || part === null) return;
    const { properties } = part as { properties?: object };
    if (properties) names.push(...Object.keys(properties));
    Object.values(part).forEach(look);
  };
  look(z.toJSONSchema(schema, { unrepresentable: "any", io: "output" }));
  return names;
}
