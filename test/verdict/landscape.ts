import { z } from "zod";
import type { AggregateFacts, Known, Landscape, Parts, ProjectionFacts, ReactionFacts } from "./facts";
import type { Row } from "./snapshot";

/*
 * What the verdict knows about the domains, read from their contracts. It shares no code and no types with the
 * program: shared code would repeat the program's mistakes.
 */

/** A registered domain, as far as the verdict reads it. */
export interface RegisteredDomain {
  kind: "monolith-module" | "microservice";
  name: string;
  tables: Record<string, RegisteredTable>;
  subscriptions: Record<string, RegisteredSubscription>;
}

interface RegisteredTable {
  aggregate: RegisteredAggregate;
  private: () => z.ZodObject;
  columns: Readonly<Record<string, string>>;
}

interface RegisteredAggregate {
  name: string;
  key: string;
  state: () => z.ZodObject;
  events: Record<string, { change: () => z.ZodObject }>;
}

type RegisteredSubscription =
  | { kind: "project"; aggregate: RegisteredAggregate; select: (state: never) => Row }
  | { kind: "react"; aggregate: RegisteredAggregate; on: Record<string, unknown> };

/** Reads the landscape from the registered domains. */
export function landscapeOf(domains: readonly RegisteredDomain[], known: Known = {}): Landscape {
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

function aggregatesOf({ name: domain, kind, tables }: RegisteredDomain): AggregateFacts[] {
  const isModule = kind === "monolith-module";
  return Object.entries(tables).map(([table, { aggregate, private: hidden, columns }]) => {
    const column = (field: string) => (isModule ? (columns[field] ?? inSnakeCase(field)) : field);
    const fields = Object.keys(aggregate.state().shape);
    const { properties = {}, required = [] } = jsonSchemaOf(aggregate.state()) as Parts & {
      required?: string[];
    };
    const hasParts = ([, one]: [string, Parts]) =>
      ["properties", "additionalProperties", "items", "prefixItems", "anyOf", "oneOf"].some(
        (name) => name in one,
      );
    const isNullable = (field: string) =>
      properties[field]?.anyOf?.some(({ type }) => type === "null") ?? false;
    return {
      name: aggregate.name,
      domain,
      store: isModule ? "postgres" : "dynamodb",
      table: isModule ? table : `${domain}-${table}-table`,
      key: column(aggregate.key),
      columns: Object.fromEntries(fields.map((field) => [field, column(field)])),
      optional: fields.filter((field) => !required.includes(field) && !isNullable(field)),
      parts: Object.fromEntries(Object.entries(properties).filter(hasParts)),
      privateColumns: Object.keys(hidden().shape).map(column),
      events: Object.keys(aggregate.events),
    };
  });
}

/** By the author's API, "priceCents" is kept in "price_cents" and "siteURL" in "site_url". */
function inSnakeCase(field: string): string {
  const words = field.match(/[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+/g) ?? [field];
  return words.join("_").toLowerCase();
}

function projectionsOf({ name: domain, subscriptions }: RegisteredDomain): ProjectionFacts[] {
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

function reactionsOf({ name: domain, subscriptions }: RegisteredDomain): ReactionFacts[] {
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

/**
 * Private fields and columns, without names that some contract publishes: those do not show where a value
 * comes from.
 */
function privateNames(
  domains: readonly RegisteredDomain[],
  aggregates: readonly AggregateFacts[],
): Set<string> {
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
  look(jsonSchemaOf(schema));
  return names;
}

function jsonSchemaOf(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { unrepresentable: "any", io: "output" });
}
