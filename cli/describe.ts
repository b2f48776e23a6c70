import { z } from "zod";
import { type AnyDomain, aggregatesOf } from "../runtime/define/domain";

/** The commands of a domain with the fields that they take. */
export function describeCommands({ name, commands }: Pick<AnyDomain, "name" | "commands">): string {
  const lines = Object.entries(commands).map(([command, { input }]) => `  ${command} ${fieldsOf(input())}`);
  return [`Commands of "${name}":`, ...lines].join("\n");
}

/** A domain in a few lines: its tables, events, subscriptions and commands. */
export function describeDomain(domain: AnyDomain): string {
  const subscriptions = Object.entries(domain.subscriptions).map(([name, subscription]) => {
    const source = subscription.aggregate.name;
    const how =
      subscription.kind === "project"
        ? "projects"
        : `reacts to ${Object.keys(subscription.on).join(", ")} of`;
    return `${name} (${how} ${source})`;
  });
  const events = aggregatesOf(domain).flatMap((aggregate) => Object.keys(aggregate.events));
  return [
    `${domain.name} (${domain.kind})`,
    `  tables         ${Object.keys(domain.tables).join(", ") || "none"}`,
    `  events         ${events.join(", ") || "none"}`,
    `  subscriptions  ${subscriptions.join(", ") || "none"}`,
    `  commands       ${
      Object.entries(domain.commands)
        .map(([name, { input }]) => `${name} ${fieldsOf(input())}`)
        .join("\n                 ") || "none"
    }`,
  ].join("\n");
}

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
