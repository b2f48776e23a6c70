import { CompiledQuery, type Kysely, type QueryCreator, sql } from "kysely";
import { escapeIdentifier, escapeLiteral } from "pg";
import { aggregateName } from "../define/aggregate";
import type { CommitContext, CommittedChange, StagedPostgresChange } from "../store/store";

/** Tables and columns as Kysely sees them where any domain's may come. */
export type AnyDatabase = Record<string, Record<string, unknown>>;

/** What a change statement returns; no row when nothing was changed. */
export interface ChangedRow {
  aggregate_id: string;
  aggregate_version: number;
  /** The public state that the event carries, where it was asked for; null once the row is gone. */
  state?: unknown;
}

/** What a change may describe itself with, loosely typed: `ChangeBuilders` is what a command sees. */
interface LooseBuilders {
  insert(values: Record<string, unknown>): unknown;
  update(values: Record<string, unknown>): unknown;
  delete(): unknown;
}

/** What a command said about a change, as far as it is known before the database has run it. */
export interface DescribedChange {
  operation: "insert" | "update" | "delete";
  /** Column -> value or Kysely expression. */
  values: Record<string, unknown>;
  /** The command added to the builder what `values` does not show, e.g. a second `set` or an `on conflict`. */
  more: boolean;
}

/** What every change builder can do; which of the three it is, the command has chosen. */
interface AnyChangeQuery {
  returning(columns: readonly string[]): { compile(): CompiledQuery };
  toOperationNode(): { updates?: readonly unknown[]; onConflict?: unknown };
}

/** What the statement of one change is made of. */
export interface ChangeOptions {
  /** The event's id. */
  id: string;
  /** What happened, as the event's contract has it. */
  change: unknown;
  context: CommitContext;
  /** Whether the statement also returns the new public state. */
  returnsState: boolean;
}

/**
 * One statement that changes one row, reads its new state and version from the database, and writes the event: a
 * data-modifying CTE, so one round trip and no BEGIN and COMMIT of its own. Around the change itself, which a command
 * described to Kysely, it is put together as text: made of Kysely's nodes, it took the client four times as long
 * (`npm run bench -- --only write`).
 */
export function changeStatement(
  db: Kysely<AnyDatabase>,
  staged: StagedPostgresChange,
  { id, change, context, returnsState }: ChangeOptions,
): { query: CompiledQuery<ChangedRow>; described: DescribedChange } {
  const { definition, type } = staged;
  const { aggregate, columns } = definition;
  const described: DescribedChange = { operation: "update", values: {}, more: false };
  const changing = staged.describe(buildersFor(db, staged, described) as never) as AnyChangeQuery;
  described.more = saysMore(changing, described);
  const { sql: changed, parameters } = changing
    .returning([...new Set([...Object.values(columns), "version"])])
    .compile();
  // A deletion is a version of its own, although the row that would carry it is gone.
  const isRemoval = described.operation === "delete";
  const values = [...parameters];
  const value = (one: unknown) => `$${values.push(one)}`;
  const text = `with changed as (${changed}), raised as (
    insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload,
      correlation_id, causation_id, traceparent)
    select ${value(id)}::uuid, ${value(aggregateName(aggregate))}, ${columnOfChanged(columns[aggregate.key] as string)}::text,
      changed.version${isRemoval ? " + 1" : ""}, ${value(type)}, ${value(aggregate.events[type]?.version ?? 1)}::integer,
      jsonb_build_object('change', ${value(JSON.stringify(change))}::jsonb, 'state', ${isRemoval ? "null" : stateOf(columns)}),
      ${value(context.correlationId)}, ${value(context.causationId ?? null)}, ${value(context.traceparent ?? null)}
    from changed
    returning aggregate_id, aggregate_version${returnsState ? ", payload -> 'state' as state" : ""}
  )${inboxRecord(context, { aggregate: aggregateName(aggregate), event: type, eventId: id }, value)}
  select * from raised`;
  return { query: CompiledQuery.raw(text, values) as CompiledQuery<ChangedRow>, described };
}

/** What a change sets, without a statement being made of it. */
export function describedChange(db: Kysely<AnyDatabase>, staged: StagedPostgresChange): DescribedChange {
  const described: DescribedChange = { operation: "update", values: {}, more: false };
  staged.describe(buildersFor(db, staged, described) as never);
  return described;
}

function saysMore(query: AnyChangeQuery, { operation, values }: DescribedChange): boolean {
  const { updates, onConflict } = query.toOperationNode();
  const expected = operation === "update" ? Object.keys(values).length + 1 : 0;
  return onConflict !== undefined || (updates?.length ?? 0) !== expected;
}

/** The inbox record rides in the same statement, and only if something was changed: a lost race leaves it unwritten. */
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

/** A function of PostgreSQL takes at most 100 arguments: so many names with their values. */
const MAX_FIELDS_PER_OBJECT = 50;

function stateOf(columns: Record<string, string>): string {
  const fields = Object.entries(columns).map(
    ([field, column]) => `${escapeLiteral(field)}, ${columnOfChanged(column)}`,
  );
  const parts: string[] = [];
  for (let start = 0; start < fields.length; start += MAX_FIELDS_PER_OBJECT)
    parts.push(`jsonb_build_object(${fields.slice(start, start + MAX_FIELDS_PER_OBJECT).join(", ")})`);
  return parts.join(" || ");
}

function columnOfChanged(column: string): string {
  return `changed.${escapeIdentifier(column)}`;
}

function buildersFor(
  creator: QueryCreator<AnyDatabase>,
  { table, lastVersion = 0 }: StagedPostgresChange,
  described: DescribedChange,
): LooseBuilders {
  return {
    insert(values) {
      Object.assign(described, { operation: "insert", values });
      return creator.insertInto(table).values({ ...values, version: lastVersion + 1 });
    },
    update(values) {
      Object.assign(described, { operation: "update", values });
      return creator.updateTable(table).set({ ...values, version: sql`${sql.ref(`${table}.version`)} + 1` });
    },
    delete() {
      Object.assign(described, { operation: "delete", values: {} });
      return creator.deleteFrom(table);
    },
  };
}
