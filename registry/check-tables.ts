import type { z } from "zod";
import type { AnyAggregate } from "../runtime/define/aggregate";
import { shortName } from "../runtime/define/aggregate";
import { type AnyDomain, aggregatesOf } from "../runtime/define/domain";
import type { AnyTable } from "../runtime/define/table";
import { columnsOf } from "../runtime/postgres/columns";
import type { Report } from "./fault";
import { checkName } from "./names";

/** Fields that the runtime adds to an item or row. */
const OWN_FIELDS = ["version", "removed"];

/** Checks the contracts of a domain's own aggregates. */
export function checkAggregates(domain: AnyDomain, report: Report): void {
  const typesSeen = new Map<string, string>();
  for (const aggregate of new Set(aggregatesOf(domain))) {
    if (!aggregate) continue;
    const thing = `aggregate "${aggregate.name}"`;
    if (aggregate.domain !== domain.name) {
      report(
        thing,
        `belongs to the domain "${aggregate.domain}", not to "${domain.name}"`,
        `Keep only aggregates of this domain in its tables ("${domain.name}.<Aggregate>"); subscribe to those of others`,
      );
      continue;
    }
    checkName("aggregate", shortName(aggregate), report);
    checkKey(thing, aggregate, report);
    for (const [type, contract] of Object.entries(aggregate.events)) {
      checkName("event", type, report);
      const other = typesSeen.get(type);
      if (other) {
        report(
          `event "${type}"`,
          `is declared by ${other} and by ${aggregate.name}`,
          "Give each event type of a domain a name of its own",
        );
      }
      typesSeen.set(type, aggregate.name);
      if (!Number.isInteger(contract.version) || contract.version < 1) {
        report(`event "${type}"`, `has the version "${contract.version}"`, "Use a whole number from 1 on");
      }
    }
  }
}

function checkKey(thing: string, aggregate: AnyAggregate, report: Report): void {
  const { shape } = aggregate.state();
  const key = shape[aggregate.key];
  if (!key) {
    const fields = Object.keys(shape).join(", ");
    report(
      thing,
      `has the key "${aggregate.key}", which its state does not have (${fields})`,
      "Name a field of the state",
    );
  } else if (!isText(key)) {
    report(thing, `has the key "${aggregate.key}", which is not text`, "Use a text field, e.g. z.uuid()");
  }
}

/** Checks a domain's entity tables. */
export function checkTables(domain: AnyDomain, report: Report): void {
  const tabled = new Map<AnyAggregate, string>();
  for (const [name, table] of Object.entries(domain.tables)) {
    const thing = `table "${name}"`;
    checkName("table", name, report);
    if (!table.aggregate) {
      report(thing, "has no aggregate", "Declare it with table(<aggregate>)");
      continue;
    }
    const other = tabled.get(table.aggregate);
    if (other)
      report(thing, `holds the same aggregate as table "${other}"`, "Keep each aggregate in one table");
    tabled.set(table.aggregate, name);
    checkFields(thing, table, report);
    checkIndexes(thing, table, report);
    if (domain.kind === "monolith-module") checkColumns(thing, table, report);
    else if (Object.keys(table.columns).length > 0) {
      report(
        thing,
        "names columns, but a microservice's items have fields",
        "Leave `columns` out, or make the domain a monolithModule",
      );
    }
  }
}

function checkFields(thing: string, table: AnyTable, report: Report): void {
  const fields = Object.keys(table.aggregate.state().shape);
  const hidden = Object.keys(table.private().shape);
  for (const field of hidden.filter((name) => fields.includes(name))) {
    report(thing, `has the field "${field}" both public and private`, "Keep it in one of the two");
  }
  for (const field of [...fields, ...hidden].filter((name) => OWN_FIELDS.includes(name))) {
    report(thing, `has a field "${field}", a name that the runtime uses`, "Choose another name");
  }
}

function checkColumns(thing: string, table: AnyTable, report: Report): void {
  const { all } = columnsOf(table);
  for (const field of Object.keys(table.columns).filter((name) => !Object.hasOwn(all, name))) {
    report(
      thing,
      `names a column for "${field}", which is not a field of it`,
      `Name one of ${Object.keys(all).join(", ")}`,
    );
  }
  const columns = Object.values(all);
  for (const column of new Set(columns.filter((name, index) => columns.indexOf(name) !== index))) {
    report(thing, `keeps several fields in the column "${column}"`, "Name a column for each under `columns`");
  }
  for (const column of new Set(columns)) {
    checkName("column", column, report);
    if (OWN_FIELDS.includes(column) && !OWN_FIELDS.some((field) => Object.hasOwn(all, field))) {
      report(thing, `has a column "${column}", a name that the runtime uses`, "Choose another column");
    }
  }
}

function checkIndexes(thing: string, table: AnyTable, report: Report): void {
  checkIndexFields(thing, table.indexes, { ...table.aggregate.state().shape, ...table.private().shape }, report);
}

/** Checks that indexes are on text fields of these. */
export function checkIndexFields(
  thing: string,
  indexes: readonly string[],
  shape: Record<string, z.core.$ZodType | undefined>,
  report: Report,
): void {
  for (const index of indexes) {
    checkName("index", index, report);
    const field = shape[index];
    if (!field) {
      report(
        thing,
        `has an index on "${index}", which is not a field of it`,
        `Name one of ${Object.keys(shape).join(", ")}`,
      );
    } else if (!isText(field)) {
      report(thing, `has an index on "${index}", which is not text`, "Index text fields only");
    }
  }
}

/** Whether a field holds text whenever it is present. */
function isText(schema: z.core.$ZodType): boolean {
  const { type, innerType, entries } = schema._zod.def as {
    type: string;
    innerType?: z.core.$ZodType;
    entries?: Record<string, unknown>;
  };
  if ((type === "optional" || type === "nullable") && innerType) return isText(innerType);
  return (
    type === "string" ||
    (type === "enum" && Object.values(entries ?? {}).every((value) => typeof value === "string"))
  );
}
