import { z } from "zod";
import { eventTypesOf, unheardOf } from "../registry/listeners";
import type { AnyDomain, AnySubscription } from "../runtime/define/domain";
import type { AnyProjection } from "../runtime/define/project";

/** The commands of a domain with the fields that they take. */
export function describeCommands({ name, commands }: Pick<AnyDomain, "name" | "commands">): string {
  const lines = Object.entries(commands).map(([command, { input }]) => `  ${command} ${fieldsOf(input())}`);
  return [`Commands of "${name}":`, ...lines].join("\n");
}

/**
 * A domain in a few lines: its tables, events, subscriptions and commands. It marks the events that no subscription
 * receives.
 *
 * @param all every domain there is
 */
export function describeDomain(domain: AnyDomain, all: readonly AnyDomain[]): string {
  const unheard = unheardOf(domain, all);
  const tables = Object.entries(domain.tables).map(([name, { indexes }]) => name + indexedBy(indexes));
  const events = eventTypesOf(domain).map((type) =>
    unheard.includes(type) ? `${type} (nobody listens)` : type,
  );
  const subscriptions = Object.entries(domain.subscriptions).map(
    ([name, subscription]) => `${name} ${describeSubscription(subscription)}`,
  );
  const commands = Object.entries(domain.commands).map(([name, { input }]) => `${name} ${fieldsOf(input())}`);
  return [
    `${domain.name} (${domain.kind})`,
    ...listed("tables", tables),
    ...listed("events", [events.join(", ") || "none"]),
    ...listed("subscriptions", subscriptions),
    ...listed("commands", commands),
  ].join("\n");
}

/** One item a line, the first beside its title. */
function listed(title: string, items: string[]): string[] {
  const lines = items.length === 0 ? ["none"] : items;
  return lines.map((line, index) => `  ${(index === 0 ? title : "").padEnd(15)}${line}`);
}

function describeSubscription(subscription: AnySubscription): string {
  const { aggregate } = subscription;
  if (subscription.kind === "react")
    return `(reacts to ${Object.keys(subscription.on).join(", ")} of ${aggregate.name})`;
  const kept = keptFields(subscription);
  return `(projects ${kept === undefined ? "" : `${kept.join(", ")} of `}${aggregate.name})${indexedBy(subscription.indexes)}`;
}

function indexedBy(indexes: readonly string[]): string {
  return indexes.length === 0 ? "" : `, indexed by ${indexes.join(", ")}`;
}

/**
 * What a projection's `select` makes of any state; undefined where it asks more of the values than that they be
 * there.
 */
function keptFields({ aggregate, select }: AnyProjection): string[] | undefined {
  const state = Object.keys(aggregate.state().shape).map((field) => [field, ANY_VALUE] as const);
  try {
    return Object.keys(select(Object.fromEntries(state) as never));
  } catch {
    return undefined;
  }
}

/** Stands for a value of any type: it has every property and every method. */
const ANY_VALUE: unknown = new Proxy(() => undefined, {
  get: (_target, property) => (property === Symbol.toPrimitive ? () => "" : ANY_VALUE),
  apply: () => ANY_VALUE,
});

function fieldsOf(schema: z.ZodType): string {
  if (!(schema instanceof z.ZodObject)) return "";
  const fields = Object.entries(schema.shape).map(([field, type]) => {
    const optional = (type as z.ZodType).safeParse(undefined).success;
    return `${field}${optional ? "?" : ""}: ${typeName(type as z.ZodType)}`;
  });
  return `{ ${fields.join(", ")} }`;
}

function typeName(type: z.ZodType): string {
  const described = z.toJSONSchema(type, { unrepresentable: "any", io: "input" }) as {
    type?: string;
    format?: string;
  };
  return described.format ?? described.type ?? "any";
}
