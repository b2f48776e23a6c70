import { CompiledQuery, type Kysely, type QueryCreator } from "kysely";
import { escapeIdentifier } from "pg";
import type { MadeTable, Row, StagedChange } from "../define/change";
import type { Field } from "../define/fields";
import { rowOf } from "../store/spelling";
import type { CommitContext, CommittedChange } from "../store/store";
import { columnsOf, nextVersion, toColumns, VERSION, withFieldNames } from "./columns";
import { encodedRow, jsonOf } from "./json";

/** Kysely's type of a database with any tables and columns. */
export type AnyDatabase = Record<string, Row>;

/**
 * A change with the id of its event, which is the same in all attempts, so that at most one attempt takes
 * effect.
 */
export type IdentifiedChange = StagedChange & {
  eventId: string;
  /**
   * For a creation: the last version of an earlier life of its key, from which its versions continue.
   * @default 0, none
   */
  lastVersion?: number;
};

/** The row that a change statement returns; no row when nothing was changed. */
export interface ChangedRow {
  aggregate_id: string;
  aggregate_version: number;
  /** The public state in the event, where the database has made it; null once the row is gone. */
  state?: unknown;
}

/** The effect of a change on its row, as far as it is known before the database runs it. */
export interface DescribedChange {
  operation: "insert" | "update" | "delete";
  /** What it sets: field -> value or Kysely expression. */
  values: Row;
  /** The row's key, where it is known. */
  key?: unknown;
  /** Whether an insert updates an existing row. @default false */
  updatesExisting?: boolean;
}

/** Common to Kysely's insert, update and delete builders. */
interface ChangeQuery {
  returning(columns: readonly string[]): { compile(): CompiledQuery };
  toOperationNode(): object;
}

/** The event of a change statement, and what it returns. */
export interface StatementOptions {
  /** The event's `change`, already validated. */
  change: unknown;
  context: CommitContext;
  /**
   * The public state after the change, null once the row is gone. The database refuses the event if the row says
   * something else. @default the database makes it of the row, and returns it
   */
  state?: Row | null;
}

/**
 * One statement that changes one row, reads its new state and version from the database, and writes the
 * event: a data-modifying CTE, which needs one round trip and no BEGIN and COMMIT. Kysely builds the change
 * itself. The rest of the statement is assembled as text: built with Kysely, it took the client four times as
 * long (`npm run bench -- --only write`).
 */
export function changeStatement(
  db: Kysely<AnyDatabase>,
  staged: IdentifiedChange,
  { change, context, state }: StatementOptions,
): { query: CompiledQuery<ChangedRow>; described: DescribedChange } {
  const { definition, event, eventId } = staged;
  const { aggregate } = definition;
  const columns = columnsOf(definition);
  const { query: changing, described } = describeChange(db, staged);
  const isMade = state === undefined;
  const needed = isMade ? columns.public : { [aggregate.key]: columns.key };
  const hidden = setPrivateFields(staged);
  const returned =
    staged.operation === "kysely"
      ? Object.keys(needed)
      : [...Object.values(needed), ...hidden.names.map((name) => columns.all[name] as string)];
  const { sql: changed, parameters } = changing.returning([...new Set([...returned, VERSION])]).compile();
  // A removal takes the next version too, although no row remains to hold it.
  const isRemoval = described.operation === "delete";
  const values = [...parameters];
  const value = (one: unknown) => `$${values.push(one)}`;
  const text = `with changed as (${changed}), raised as (
    insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload,
      correlation_id, causation_id, traceparent)
    select ${value(eventId)}::uuid, ${value(aggregate.name)}, ${ofChanged(columns.key)}::text,
      changed.version${isRemoval ? " + 1" : ""}, ${value(event)}, ${value(aggregate.events[event]?.version ?? 1)}::integer,
      ${isMade ? `jsonb_build_object('change', ${value(JSON.stringify(change))}::jsonb, 'state', ${isRemoval ? "null" : jsonOf(definition.fields.public, columns.public, "changed")})` : `${value(JSON.stringify({ change, state }))}::jsonb`},
      ${value(context.correlationId)}, ${value(context.causationId ?? null)}, ${value(context.traceparent ?? null)}
    from changed${hidden.names.length === 0 ? "" : ` where ${isStored(staged.definition, hidden.names, `${value(JSON.stringify(hidden.values))}::jsonb`)}`}
    returning aggregate_id, aggregate_version${isMade ? ", payload -> 'state' as state" : ""}
  )${inboxRecord(context, { aggregate: aggregate.name, event, eventId }, value)}
  select * from raised`;
  return { query: CompiledQuery.raw(text, values) as CompiledQuery<ChangedRow>, described };
}

/**
 * The private fields that a verb sets, as a row of the table is read; the database compares the public ones with the
 * event's state.
 */
export function setPrivateFields(staged: IdentifiedChange): { names: string[]; values: Row } {
  if (staged.operation !== "create" && staged.operation !== "update") return { names: [], values: {} };
  const set = Object.entries(staged.fields).filter(([name]) =>
    Object.hasOwn(staged.definition.fields.private, name),
  );
  const names = set.map(([name]) => name);
  return { names, values: rowOf(privateFields(staged.definition, names), Object.fromEntries(set)) };
}

function privateFields({ fields }: MadeTable, names: readonly string[]): Record<string, Field> {
  return Object.fromEntries(names.map((name) => [name, fields.private[name] as Field]));
}

/**
 * A condition that fails the statement (errcode DC005) if the database has stored other values than these.
 *
 * @param set an SQL expression of the private fields that were set, in JSON
 */
export function isStored(definition: MadeTable, names: readonly string[], set: string): string {
  const made = jsonOf(privateFields(definition, names), columnsOf(definition).all, "changed");
  return `case when ${made} = ${set} then true else public.refuse_value('a private field that is stored as another value') is null end`;
}

/** Builds the Kysely query of a change and describes its effect. */
export function describeChange(
  db: Kysely<AnyDatabase>,
  staged: IdentifiedChange,
): { query: ChangeQuery; described: DescribedChange } {
  const { table, definition, lastVersion = 0 } = staged;
  const columns = columnsOf(definition);
  const key = definition.aggregate.key;
  const version = { [VERSION]: lastVersion + 1 };
  switch (staged.operation) {
    case "create": {
      const values = toColumns(columns.all, encodedRow(definition.fields.all, staged.fields));
      return {
        query: db.insertInto(table).values({ ...values, ...version }),
        described: { operation: "insert", values: staged.fields, key: staged.fields[key] },
      };
    }
    case "update": {
      const { row, fields } = staged;
      const values = withNulls(toColumns(columns.all, encodedRow(definition.fields.all, fields)));
      return {
        query: db
          .updateTable(table)
          .set({ ...values, [VERSION]: nextVersion(table) })
          .where(columns.key, "=", row[key])
          .where(VERSION, "=", row[VERSION]),
        described: { operation: "update", values: fields, key: row[key] },
      };
    }
    case "remove": {
      const { row } = staged;
      return {
        query: db.deleteFrom(table).where(columns.key, "=", row[key]).where(VERSION, "=", row[VERSION]),
        described: { operation: "delete", values: {}, key: row[key] },
      };
    }
    case "kysely": {
      const described: DescribedChange = { operation: "update", values: {} };
      const builders = buildersFor(
        withFieldNames(db, table, columns.all, definition.fields.all),
        staged,
        version,
        described,
      );
      const query = staged.describe(builders as never) as ChangeQuery;
      return { query, described: { ...described, updatesExisting: updatesExisting(query) } };
    }
  }
}

/** Setting a field to undefined removes it; in PostgreSQL its column becomes null. */
export function withNulls(values: Row): Row {
  return Object.fromEntries(
    Object.entries(values).map(([column, value]) => [column, value === undefined ? null : value]),
  );
}

/** The builders of a module's `change`, loosely typed; `ChangeBuilders` is their type as commands see it. */
function buildersFor(
  creator: QueryCreator<AnyDatabase>,
  { table, definition }: IdentifiedChange,
  firstVersion: Row,
  described: DescribedChange,
) {
  return {
    insert(values: Row) {
      Object.assign(described, { operation: "insert", values, key: values[definition.aggregate.key] });
      return creator
        .insertInto(table)
        .values({ ...encodedRow(definition.fields.all, values), ...firstVersion });
    },
    update(values: Row) {
      described.values = values;
      return creator.updateTable(table).set({ ...values, [VERSION]: nextVersion(table) });
    },
    delete() {
      described.operation = "delete";
      return creator.deleteFrom(table);
    },
  };
}

function updatesExisting(query: ChangeQuery): boolean {
  // Only an insert has `onConflict`.
  const { onConflict }: { onConflict?: { updates?: unknown } } = query.toOperationNode();
  return onConflict?.updates !== undefined;
}

/**
 * The part that writes the inbox record. It selects from the event, so a lost race writes no inbox record
 * either.
 */
function inboxRecord(
  { once }: CommitContext,
  committed: Pick<CommittedChange, "aggregate" | "event" | "eventId">,
  value: (one: unknown) => string,
): string {
  if (!once) return "";
  const key = `${value(once.consumer)}, ${value(once.messageId)}`;
  if (once.fingerprint === undefined) {
    return `, once as (
    insert into inbox (consumer, message_id) select ${key} from raised
  )`;
  }
  return `, once as (
    insert into inbox (consumer, message_id, fingerprint, changes) select ${key}, ${value(once.fingerprint)},
      jsonb_build_array(${value(JSON.stringify(committed))}::jsonb
        || jsonb_build_object('id', aggregate_id, 'version', aggregate_version))
    from raised
  )`;
}

function ofChanged(column: string): string {
  return `changed.${escapeIdentifier(column)}`;
}
