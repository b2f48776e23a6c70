import { CompiledQuery } from "kysely";
import { escapeIdentifier } from "pg";
import type { Row } from "../define/change";
import type { CommitContext } from "../store/store";
import { columnsOf, type TableColumns, toColumns, VERSION } from "./columns";
import { isExpression } from "./json";
import { type IdentifiedChange, isStored, setPrivateFields, withNulls } from "./statement";

/** A change that was checked against its contract. */
export interface CheckedChange {
  staged: IdentifiedChange;
  /** The event's `change`, validated. */
  change: unknown;
  /** The public state after the change, null once the row is gone; undefined where only the database knows it. */
  state: Row | null | undefined;
}

/** What a batch returns of each row that it has changed. */
export interface BatchedRow {
  id: string;
  aggregate_id: string;
  aggregate_version: number;
}

/** Rows of one statement: an event has 240 KiB at most, so its parameter has 24 MB at most. */
const MOST_ROWS = 100;

/**
 * Divides changes into runs that one statement can write: neighbours of one table and one operation that set the
 * same columns. The order of changes stays, because a constraint may depend on it.
 */
export function batchesOf(changes: readonly CheckedChange[]): CheckedChange[][] {
  const batches: { kind: string | undefined; changes: CheckedChange[] }[] = [];
  for (const change of changes) {
    const kind = kindOf(change);
    const last = batches.at(-1);
    if (last && kind !== undefined && last.kind === kind && last.changes.length < MOST_ROWS)
      last.changes.push(change);
    else batches.push({ kind, changes: [change] });
  }
  return batches.map((batch) => batch.changes);
}

/** Whether any of these changes may be written by one statement with its neighbour. */
export function haveNeighbours(changes: readonly IdentifiedChange[]): boolean {
  return changes.some(({ table, operation }, index) => {
    const next = changes[index + 1];
    return operation !== "kysely" && next?.table === table && next.operation === operation;
  });
}

/** What the changes of one statement have in common; undefined for a change that needs a statement of its own. */
function kindOf({ staged, state }: CheckedChange): string | undefined {
  const { operation, table } = staged;
  if (operation === "kysely" || state === undefined) return undefined;
  if (operation === "remove") return JSON.stringify([table, operation]);
  const fields = Object.entries(staged.fields);
  // Only the database can evaluate an expression.
  if (fields.some(([, value]) => isExpression(value))) return undefined;
  // A column of a new row that is left to its default has no value to send.
  return JSON.stringify([table, operation, ...fields.map(([name, value]) => [name, value === undefined])]);
}

/**
 * One statement that changes many rows and writes their events, as {@link changeStatement} does for one. Rows and
 * events are two parameters in JSON, so that the text is the same for any number of them. It returns a row for each
 * row that it has changed.
 */
export function batchStatement(
  batch: readonly CheckedChange[],
  context: CommitContext,
): CompiledQuery<BatchedRow> {
  const [first] = batch;
  if (!first) throw new Error("A batch has a change.");
  const { table, definition, operation } = first.staged;
  const { aggregate } = definition;
  const columns = columnsOf(definition);
  const rows = batch.map(({ staged }) => rowOf(staged, columns));
  const entity = escapeIdentifier(table);
  const key = escapeIdentifier(columns.key);
  const set = Object.keys(rows[0] ?? {}).filter((column) => ![columns.key, VERSION].includes(column));
  const given = `json_populate_recordset(null::${entity}, $1::json) as given`;
  const found = `${entity}.${key} = given.${key} and ${entity}.version = given.version`;
  const hidden = setPrivateFields(first.staged).names;
  const needed = [columns.key, VERSION, ...hidden.map((name) => columns.all[name] ?? name)];
  const returned = `returning ${needed.map((column) => `${entity}.${escapeIdentifier(column)}`).join(", ")}`;
  const names = [columns.key, VERSION, ...set].map(escapeIdentifier);
  const settings = set.map(escapeIdentifier).map((column) => `${column} = given.${column}`);
  const changing = {
    create: `insert into ${entity} (${names.join(", ")}) select ${names.map((name) => `given.${name}`).join(", ")} from ${given}`,
    update: `update ${entity} set ${[...settings, `version = ${entity}.version + 1`].join(", ")} from ${given} where ${found}`,
    remove: `delete from ${entity} using ${given} where ${found}`,
    // Never in a batch.
    kysely: "",
  }[operation];
  const events = batch.map(({ staged, change, state }, index) => ({
    id: staged.eventId,
    key: String(rows[index]?.[columns.key]),
    type: staged.event,
    schema: aggregate.events[staged.event]?.version ?? 1,
    payload: { change, state },
    ...(hidden.length > 0 ? { hidden: setPrivateFields(staged).values } : {}),
  }));
  const text = `with changed as (${changing} ${returned})
    insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload,
      correlation_id, causation_id, traceparent)
    select event.id, $3, event.key, changed.version${operation === "remove" ? " + 1" : ""}, event.type, event.schema, event.payload, $4, $5, $6
      from changed join json_to_recordset($2::json) as event (id uuid, key text, type text, schema integer, payload jsonb, hidden jsonb)
        on event.key = changed.${key}::text${hidden.length > 0 ? ` where ${isStored(definition, hidden, "event.hidden")}` : ""}
    returning id, aggregate_id, aggregate_version`;
  const values = [
    JSON.stringify(rows),
    JSON.stringify(events),
    aggregate.name,
    context.correlationId,
    context.causationId ?? null,
    context.traceparent ?? null,
  ];
  return CompiledQuery.raw(text, values) as CompiledQuery<BatchedRow>;
}

/** What a change sets, by column; for an update or a removal, of which row in which version. */
function rowOf(staged: IdentifiedChange, { all, key }: TableColumns): Row {
  if (staged.operation === "kysely") return {};
  if (staged.operation === "create")
    return { ...withoutUndefined(toColumns(all, staged.fields)), [VERSION]: (staged.lastVersion ?? 0) + 1 };
  const fields = staged.operation === "update" ? withNulls(toColumns(all, staged.fields)) : {};
  return { ...fields, [key]: staged.row[staged.definition.aggregate.key], [VERSION]: staged.row[VERSION] };
}

function withoutUndefined(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
}
