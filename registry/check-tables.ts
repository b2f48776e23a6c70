import type { z } from "zod";
import type { AnyAggregate } from "../runtime/define/aggregate";
import { shortName } from "../runtime/define/aggregate";
import { type AnyDomain, aggregatesOf } from "../runtime/define/domain";
import type { AnyTable } from "../runtime/define/table";
import { fieldsOf, type UnusableField } from "../runtime/store/fields";
import { errorCode } from "../runtime/function/coded-error";
import { columnsOf, VERSION } from "../runtime/postgres/columns";
import { RESERVED_TABLES } from "../runtime/postgres/names";
import type { Report } from "./fault";
import { textField } from "./field-types";
import { checkName } from "./names";

/** Fields that the runtime adds to an item or row. */
const RUNTIME_FIELDS = [VERSION, "removed"];
/** Characters of the name of a table's key. Source: Amazon DynamoDB quotas. */
const MAX_KEY_NAME = 255;
/** Global secondary indexes per table. Source: Amazon DynamoDB quotas. */
const MAX_INDEXES = 20;
/** Bytes of a name in PostgreSQL, which cuts off the rest. Source: PostgreSQL, NAMEDATALEN. */
const MAX_IDENTIFIER_BYTES = 63;

/** Checks the contracts of a domain's own aggregates. */
export function checkAggregates(domain: AnyDomain, report: Report): void {
  const namesSeen = new Set<string>();
  const typesSeen = new Map<string, string>();
  for (const aggregate of new Set(aggregatesOf(domain))) {
    const { name } = aggregate;
    const thing = `aggregate "${name}"`;
    if (aggregate.domain !== domain.name) {
      report(
        thing,
        `belongs to the domain "${aggregate.domain}", not to "${domain.name}"`,
        `Keep only aggregates named "${domain.name}.<Aggregate>" in this domain's tables, and subscribe to those of others`,
      );
      continue;
    }
    if (namesSeen.has(name)) report(thing, "is declared twice", "Give each aggregate its own name");
    namesSeen.add(name);
    checkName("aggregate", shortName(aggregate), report);
    checkKey(thing, aggregate, report);
    checkData(`the state of ${thing}`, () => fieldsOf(aggregate.state()), report);
    for (const type of Object.keys(aggregate.events)) {
      checkName("event", type, report);
      const change = aggregate.events[type]?.change;
      if (change) checkData(`the change of event "${type}"`, () => fieldsOf(change(), true), report);
      const other = typesSeen.get(type);
      if (other) {
        report(
          `event "${type}"`,
          `is declared by ${other} and by ${name}`,
          "Give each event type of a domain its own name: rules match domain and type",
        );
      }
      typesSeen.set(type, name);
    }
  }
}

/** Schemas of what is stored and published describe values, and change none (docs/fields.md). */
function checkData(thing: string, describe: () => unknown, report: Report): void {
  try {
    describe();
  } catch (error) {
    if (errorCode(error) !== "FIELD_UNUSABLE") throw error;
    const { problem, remedy } = error as Error & UnusableField;
    report(thing, problem, remedy);
  }
}

function checkKey(thing: string, aggregate: AnyAggregate, report: Report): void {
  const { shape } = aggregate.state();
  const key = shape[aggregate.key];
  if (!key) {
    report(
      thing,
      `has the key "${aggregate.key}", which is not a field of its state`,
      `Name one of ${Object.keys(shape).join(", ")}`,
    );
    return;
  }
  if (aggregate.key.length > MAX_KEY_NAME) {
    report(
      thing,
      `has a key with a name of ${aggregate.key.length} characters; the limit is ${MAX_KEY_NAME}`,
      "Choose a shorter name",
    );
  }
  const { isText, isNullable, isOptional } = textField(key);
  if (isText && !isNullable && !isOptional) return;
  const problem = isText ? `may be ${isNullable ? "null" : "absent"}` : "is not text";
  report(
    thing,
    `has the key "${aggregate.key}", which ${problem}`,
    "Use a text field that is always there, e.g. z.uuid()",
  );
}

/** Checks a domain's entity tables. */
export function checkTables(domain: AnyDomain, report: Report): void {
  const tabled = new Map<AnyAggregate, string>();
  for (const [name, table] of Object.entries(domain.tables)) {
    const thing = `table "${name}"`;
    checkName("table", name, report);
    const other = tabled.get(table.aggregate);
    if (other)
      report(thing, `holds the same aggregate as table "${other}"`, "Keep each aggregate in one table");
    tabled.set(table.aggregate, name);
    checkFields(thing, table, report);
    checkData(`the private fields of ${thing}`, () => fieldsOf(table.private()), report);
    checkTableIndexes(thing, domain, table, report);
    checkRejections(thing, table, report);
    if (domain.kind === "monolith-module") checkModuleTable(name, table, report);
    else checkMicroserviceTable(thing, table, report);
  }
}

function checkMicroserviceTable(thing: string, { columns, rejections }: AnyTable, report: Report): void {
  for (const [option, mapped] of [
    ["columns", columns],
    ["rejections", rejections],
  ] as const) {
    if (Object.keys(mapped).length === 0) continue;
    report(
      thing,
      `has \`${option}\`, but a microservice's tables have no ${option === "columns" ? "columns" : "constraints"}`,
      `Remove \`${option}\`, or make the domain a monolithModule`,
    );
  }
}

function checkRejections(thing: string, { rejections }: AnyTable, report: Report): void {
  for (const [constraint, rejection] of Object.entries(rejections)) {
    const code = typeof rejection === "string" ? rejection : rejection.code;
    if (constraint === "" || Buffer.byteLength(constraint) > MAX_IDENTIFIER_BYTES) {
      report(
        thing,
        `maps the constraint "${constraint}", whose name PostgreSQL cannot hold`,
        `Write the name as PostgreSQL has it, at most ${MAX_IDENTIFIER_BYTES} bytes`,
      );
    }
    if (/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(code)) continue;
    report(
      thing,
      `maps the constraint "${constraint}" to "${code}", which is not a code`,
      "Use SCREAMING_SNAKE_CASE, e.g. EMAIL_TAKEN",
    );
  }
}

function checkFields(thing: string, table: AnyTable, report: Report): void {
  const fields = Object.keys(table.aggregate.state().shape);
  const hidden = Object.keys(table.private().shape);
  for (const field of hidden.filter((name) => fields.includes(name))) {
    report(thing, `has the field "${field}" both public and private`, "Keep it in one of the two");
  }
  for (const field of [...fields, ...hidden].filter((name) => RUNTIME_FIELDS.includes(name))) {
    report(thing, `has a field "${field}", a name that the runtime reserves`, "Choose another name");
  }
}

function checkModuleTable(name: string, table: AnyTable, report: Report): void {
  const thing = `table "${name}"`;
  if (RESERVED_TABLES.includes(name)) {
    report(thing, "has a name that the framework reserves in the monolith's database", "Choose another name");
  }
  const { all } = columnsOf(table);
  for (const field of Object.keys(table.columns).filter((one) => !Object.hasOwn(all, one))) {
    report(
      thing,
      `maps a column for "${field}", which is not one of its fields`,
      `Name one of ${Object.keys(all).join(", ")}`,
    );
  }
  const columns = Object.values(all);
  for (const column of new Set(columns.filter((one, index) => columns.indexOf(one) !== index))) {
    report(thing, `keeps several fields in the column "${column}"`, "Map each to its own under `columns`");
  }
  for (const [field, column] of Object.entries(all)) {
    checkName("column", column, report);
    // A field of that name is reported as a field.
    if (column === VERSION && field !== VERSION) {
      report(
        thing,
        `keeps "${field}" in the column "${column}", which the runtime reserves`,
        "Choose another column",
      );
    }
  }
}

function checkTableIndexes(thing: string, domain: AnyDomain, table: AnyTable, report: Report): void {
  const { aggregate, indexes } = table;
  checkIndexes(thing, indexes, report);
  const shape: Record<string, z.core.$ZodType | undefined> = {
    ...aggregate.state().shape,
    ...table.private().shape,
  };
  for (const index of indexes) {
    const field = shape[index];
    if (!field) {
      report(
        thing,
        `has an index on "${index}", which is not one of its fields`,
        `Name one of ${Object.keys(shape).join(", ")}`,
      );
      continue;
    }
    if (index === aggregate.key) {
      report(
        thing,
        `has an index on its key "${index}"`,
        "Remove the index: `find` and `get` read by the key",
      );
    }
    const { isText, isNullable } = textField(field);
    if (!isText) report(thing, `has an index on "${index}", which is not text`, "Index text fields only");
    else if (isNullable && domain.kind === "microservice") {
      report(
        thing,
        `has an index on "${index}", which may be null: DynamoDB refuses such an item`,
        "Make the field optional instead, or remove the index",
      );
    }
  }
}

/** Checks the names and the number of a table's or projection's indexes. */
export function checkIndexes(thing: string, indexes: readonly string[], report: Report): void {
  for (const index of new Set(indexes)) {
    checkName("index", index, report);
    if (indexes.indexOf(index) !== indexes.lastIndexOf(index))
      report(thing, `has the index "${index}" twice`, "Name each index once");
  }
  if (indexes.length > MAX_INDEXES) {
    report(
      thing,
      `has ${indexes.length} indexes; the limit is ${MAX_INDEXES}`,
      "Remove those that no handler reads by",
    );
  }
}
