import type { z } from "zod";
import type { AnyAggregate } from "../runtime/define/aggregate";
import type { AnyDomain } from "../runtime/define/domain";
import type { AnyDynamoTable, AnyTable } from "../runtime/define/table";
import type { Report } from "./fault";
import { checkName } from "./names";

/** Fields that the runtime adds to an item or row. */
const OWN_FIELDS = ["version", "removed"];

/** Checks a domain's events (its aggregates' contracts). */
export function checkEvents(domain: AnyDomain, report: Report): void {
  const typesSeen = new Map<string, string>();
  const namesSeen = new Set<string>();
  for (const aggregate of domain.events) {
    const thing = `aggregate "${aggregate.name}"`;
    if (aggregate.domain !== domain.name) {
      report(
        thing,
        `belongs to the domain "${aggregate.domain}", not to "${domain.name}"`,
        "Register only events of the own aggregates; subscribe to those of others",
      );
      continue;
    }
    checkName("aggregate", aggregate.name, report);
    if (namesSeen.has(aggregate.name))
      report(thing, "is registered twice", "Name each aggregate once under events");
    namesSeen.add(aggregate.name);
    const fields = Object.keys(aggregate.state().shape);
    if (!fields.includes(aggregate.key)) {
      report(
        thing,
        `has the key "${aggregate.key}", which its state does not have (${fields.join(", ")})`,
        "Name a field of the state",
      );
    } else if (!isText(aggregate.state().shape[aggregate.key] as z.core.$ZodType)) {
      report(thing, `has the key "${aggregate.key}", which is not text`, "Use a text field, e.g. z.uuid()");
    }
    for (const [type, contract] of Object.entries(aggregate.events)) {
      checkName("event", type, report);
      const other = typesSeen.get(type);
      if (other)
        report(
          `event "${type}"`,
          `is declared by ${other} and by ${aggregate.name}`,
          "Give each event type of a domain a name of its own",
        );
      typesSeen.set(type, aggregate.name);
      if (!Number.isInteger(contract.version) || contract.version < 1) {
        report(`event "${type}"`, `has the version "${contract.version}"`, "Use a whole number from 1 on");
      }
    }
  }
}

/** Checks a domain's entity tables. */
export function checkTables(domain: AnyDomain, report: Report): void {
  const tabled = new Map<AnyAggregate, string>();
  for (const [name, table] of Object.entries(domain.tables) as [string, AnyTable][]) {
    const thing = `table "${name}"`;
    checkName("table", name, report);
    if (!table.aggregate) {
      report(thing, "has no aggregate", "Declare it with entityTable(<aggregate>, ...)");
      continue;
    }
    const expected = domain.kind === "microservice" ? "dynamo-table" : "postgres-table";
    if (table.kind !== expected) {
      report(
        thing,
        `is a ${table.kind}, but the domain is a ${domain.kind}`,
        domain.kind === "microservice" ? "Leave the columns out" : "Name the columns of its fields",
      );
      continue;
    }
    if (!domain.events.includes(table.aggregate)) {
      report(
        thing,
        `holds "${table.aggregate.name}", which the domain does not register under events`,
        "Register the aggregate, so that its changes raise events",
      );
    }
    const other = tabled.get(table.aggregate);
    if (other)
      report(thing, `holds the same aggregate as table "${other}"`, "Keep each aggregate in one table");
    tabled.set(table.aggregate, name);
    checkFields(thing, table, report);
  }
  for (const aggregate of domain.events) {
    if (aggregate.domain === domain.name && !tabled.has(aggregate)) {
      report(
        `aggregate "${aggregate.name}"`,
        "has no entity table",
        "Register a table for it, or remove it from events",
      );
    }
  }
}

function checkFields(thing: string, table: AnyTable, report: Report): void {
  const fields = Object.keys(table.aggregate.state().shape);
  const hidden = Object.keys(table.private().shape);
  for (const field of hidden.filter((name) => publicNames(table, fields).includes(name))) {
    report(thing, `has the field "${field}" both public and private`, "Keep it in one of the two");
  }
  for (const field of [...publicNames(table, fields), ...hidden].filter((name) =>
    OWN_FIELDS.includes(name),
  )) {
    report(thing, `has a field "${field}", a name that the runtime uses`, "Choose another name");
  }
  if (table.kind === "dynamo-table") {
    checkIndexes(thing, table, report);
    return;
  }
  const columns = Object.values(table.columns);
  for (const column of new Set(columns.filter((name, index) => columns.indexOf(name) !== index))) {
    report(thing, `keeps several fields in the column "${column}"`, "Name a column for each");
  }
  for (const column of [...Object.values(table.columns), ...hidden]) checkName("column", column, report);
  for (const field of fields.filter((name) => !table.columns[name])) {
    report(thing, `has no column for the public field "${field}"`, "Name its column");
  }
  for (const field of Object.keys(table.columns).filter((name) => !fields.includes(name))) {
    report(
      thing,
      `has a column for "${field}", which the contract does not publish`,
      "Move it to the private fields",
    );
  }
}

function checkIndexes(thing: string, table: AnyDynamoTable, report: Report): void {
  const shape = { ...table.aggregate.state().shape, ...table.private().shape };
  for (const index of table.indexes) {
    checkName("index", index, report);
    if (!shape[index]) {
      report(
        thing,
        `has an index on "${index}", which is no field of it`,
        `Name one of ${Object.keys(shape).join(", ")}`,
      );
    } else if (!isText(shape[index])) {
      report(thing, `has an index on "${index}", which is not text`, "Index text fields only");
    }
  }
}

/** Whether a field holds text whenever it is there. */
function isText(schema: z.core.$ZodType): boolean {
  const { type, innerType, entries } = schema._zod.def as {
    type: string;
    innerType?: z.core.$ZodType;
    entries?: Record<string, unknown>;
  };
  if (type === "optional" && innerType) return isText(innerType);
  return (
    type === "string" ||
    (type === "enum" && Object.values(entries ?? {}).every((value) => typeof value === "string"))
  );
}

function publicNames(table: AnyTable, fields: string[]): string[] {
  return table.kind === "postgres-table" ? Object.values(table.columns) : fields;
}
