import { type Kysely, type QueryCreator, type RawBuilder, sql } from "kysely";
import { aggregateName } from "../contract";
import type { CommitContext, StagedPostgresChange } from "../staged-change";

/** Tables and columns as Kysely sees them where any domain's may come. */
export type AnyDatabase = Record<string, Record<string, unknown>>;

/** What a change statement returns; no row when nothing was changed. */
export interface ChangedRow {
  aggregate_id: string;
  aggregate_version: number;
  /** The public state that the event carries; null once the row is gone. */
  state: unknown;
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
  returning(columns: readonly string[]): never;
  toOperationNode(): { updates?: readonly unknown[]; onConflict?: unknown };
}

/**
 * One statement that changes one row, reads its new state and version from the database, and writes the event: a
 * data-modifying CTE, so one round trip and no BEGIN and COMMIT of its own.
 */
export function changeStatement(
  db: Kysely<AnyDatabase>,
  staged: StagedPostgresChange,
  event: { id: string; change: unknown; context: CommitContext },
) {
  const { definition, type } = staged;
  const { aggregate, columns } = definition;
  const key = columns[aggregate.key] as string;
  const published = [...new Set([...Object.values(columns), "version"])];
  const described: DescribedChange = { operation: "update", values: {}, more: false };
  // A deletion is a version of its own, although the row that would carry it is gone.
  const removal = () => described.operation === "delete";
  const changed = db.with("changed", (creator) => {
    const query = staged.describe(buildersFor(creator, staged, described) as never) as AnyChangeQuery;
    described.more = saysMore(query, described);
    return query.returning(published);
  });
  // Raw SQL: built node by node, this part costs more than a third of the whole statement's making.
  const version = removal() ? sql`changed.version + 1` : sql`changed.version`;
  const { correlationId, causationId = null, traceparent = null } = event.context;
  const raised = changed.with(
    "raised",
    () => sql`(
      insert into outbox (id, aggregate, aggregate_id, aggregate_version, type, schema_version, payload,
        correlation_id, causation_id, traceparent)
      select ${event.id}::uuid, ${aggregateName(aggregate)}, ${sql.ref(`changed.${key}`)}::text, ${version}, ${type},
        ${aggregate.events[type]?.version ?? 1}::integer, ${payloadOf(columns, event.change, removal())},
        ${correlationId}, ${causationId}, ${traceparent}
      from changed
      returning aggregate_id, aggregate_version, payload -> 'state' as state)`,
  );
  return { query: withInbox(raised, event.context).selectFrom("raised").selectAll(), described };
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
function withInbox(query: QueryCreator<AnyDatabase>, context: CommitContext): QueryCreator<AnyDatabase> {
  const { once } = context;
  if (!once) return query;
  return query.with("once", (creator) =>
    creator
      .insertInto("inbox")
      .columns(["consumer", "message_id"])
      .expression((eb) =>
        eb
          .selectFrom("changed")
          .select([sql`${once.consumer}`.as("consumer"), sql`${once.messageId}`.as("message_id")]),
      ),
  );
}

/** A function of PostgreSQL takes at most 100 arguments: so many names with their values. */
const MAX_FIELDS_PER_OBJECT = 50;

function payloadOf(columns: Record<string, string>, change: unknown, removal: boolean): RawBuilder<unknown> {
  const state = removal ? sql`null` : stateOf(Object.entries(columns));
  return sql`jsonb_build_object('change', ${JSON.stringify(change)}::jsonb, 'state', ${state})`;
}

function stateOf(columns: [field: string, column: string][]): RawBuilder<unknown> {
  const fields = columns.map(([field, column]) => sql`${sql.lit(field)}, ${sql.ref(`changed.${column}`)}`);
  const parts: RawBuilder<unknown>[] = [];
  for (let start = 0; start < fields.length; start += MAX_FIELDS_PER_OBJECT) {
    const part = fields.slice(start, start + MAX_FIELDS_PER_OBJECT);
    parts.push(sql`jsonb_build_object(${sql.join(part)})`);
  }
  return sql.join(parts, sql` || `);
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
