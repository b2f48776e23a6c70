import { type AnyAggregate, shortName } from "../define/aggregate";
import type { MadeTable, Row, StagedChange } from "../define/change";
import type { Rejection } from "../define/rejection";
import type { Uses } from "../define/handles";
import type { AnyTable } from "../define/table";
import { isId } from "../envelope/portable-data";
import { codedError, shortened } from "../function/coded-error";
import { tableFields } from "./fields";
import { canonicalRow, canonicalText } from "./spelling";
import type { Conflict } from "./store";
import { closedChange } from "./validation";

/** The reads of a table that a store implements; the rest of a handle is the same in both stores. */
export interface TableReads {
  find: (id: string) => Promise<Row | undefined>;
  /**
   * @param index a declared one
   */
  where: (index: string, value: string) => Promise<Row[]>;
}

/**
 * Makes the handle of an entity table; `TableHandle` is its type as commands see it.
 *
 * @param table the name that it is registered by
 */
export function tableHandle(table: string, definition: MadeTable, reads: TableReads) {
  const { aggregate, indexes, fields: known } = definition;
  const staged = { table, definition };
  const find = async (id: string) =>
    isHeldId(aggregate, id) ? reads.find(canonicalText(known.public[aggregate.key], id)) : undefined;
  return {
    find,
    async where(index: string, value: string): Promise<Row[]> {
      checkIndex(`The table "${table}"`, indexes, index);
      checkIsText(`The ${index} to find in "${table}"`, value);
      return reads.where(index, canonicalText(known.all[index], value));
    },
    get: (id: string) => found(find(id), aggregate, id),
    create: (fields: Row) =>
      unraised({ ...staged, operation: "create", fields: canonicalRow(known.all, fields) }),
    update(row: Row, fields: Row) {
      const read = asRead(aggregate, row);
      const changed = canonicalRow(known.all, fields);
      checkKey(aggregate, read, changed);
      return unraised({ ...staged, operation: "update", row: read, fields: changed });
    },
    remove: (row: Row) => unraised({ ...staged, operation: "remove", row: asRead(aggregate, row) }),
  };
}

type Unraised<S = StagedChange> = S extends StagedChange ? Omit<S, "kind" | "event" | "change"> : never;

/** A change without its event, as `UnraisedChange`. */
export function unraised(described: Unraised) {
  return {
    // TypeScript does not see that a described change plus its event is one of the four staged changes.
    raise: (event: string, change: unknown = {}) =>
      ({ kind: "change", ...described, event, change }) as StagedChange,
  };
}

/**
 * Makes the handles for what a function's commands and reactions use, once for each: they hold schemas, which
 * are expensive to make.
 */
export function handlesMadeOnce(
  handleOf: (name: string, used: Uses[string]) => unknown,
): (uses: Uses) => Record<string, unknown> {
  const made = new Map<Uses, Record<string, unknown>>();
  return (uses) => {
    const known = made.get(uses);
    if (known) return known;
    // The registry has checked that the domain may use these.
    const handles = Object.entries(uses).map(([name, used]) => [name, handleOf(name, used)] as const);
    const all = Object.fromEntries(handles);
    made.set(uses, all);
    return all;
  };
}

/**
 * A table whose contract makes each schema once instead of at every write: making a schema, and the first
 * parse with it, costs more than the write's round trip (`npm run bench -- --only write`). Use it inside a
 * function only: a schema that is made before packaging cannot be serialized.
 */
export function withSchemasMadeOnce<T extends AnyTable>(table: T): T & MadeTable {
  const { aggregate } = table;
  const events = Object.entries(aggregate.events).map(([type, event]) => [
    type,
    { ...event, change: once(() => closedChange(event.change())) },
  ]);
  const [state, hidden] = [once(aggregate.state), once(table.private)];
  return {
    ...table,
    private: hidden,
    aggregate: { ...aggregate, state, events: Object.fromEntries(events) },
    fields: tableFields(state(), hidden()),
  };
}

function once<S>(make: () => S): () => S {
  let made: S | undefined;
  return () => (made ??= make());
}

/**
 * Whether a store can hold this id, so that it makes sense to look for it. Both stores answer alike to one that
 * they cannot hold: there is no such aggregate.
 *
 * @throws INVALID_KEY for what is not a text, which only code without types passes
 */
export function isHeldId({ name, key }: Pick<AnyAggregate, "name" | "key">, id: unknown): boolean {
  checkIsText(`The ${key} of ${name}`, id);
  return isId(id);
}

/**
 * Refuses to look for what is not a text.
 *
 * @param what what is looked for, for the message
 * @throws INVALID_KEY
 */
export function checkIsText(what: string, value: unknown): void {
  if (typeof value === "string") return;
  throw codedError("INVALID_KEY", `${what} is not a text but of type "${typeof value}". Pass a text.`);
}

/**
 * Checks that a table or projection declares an index.
 *
 * @param what the table or projection, for messages
 * @throws INDEX_UNKNOWN
 */
export function checkIndex(what: string, indexes: readonly string[], index: string): void {
  if (indexes.includes(index)) return;
  throw codedError(
    "INDEX_UNKNOWN",
    `${what} has no index "${index}"; its indexes are: ${indexes.join(", ") || "none"}. Name it under \`indexes\` where it is declared.`,
  );
}

/** Answers `get`: the row, or the standard rejection. */
export async function found<R>(row: Promise<R | undefined>, aggregate: AnyAggregate, id: string): Promise<R> {
  const read = await row;
  if (read !== undefined) return read;
  throw rejecting(standardRejection(aggregate, "UNKNOWN", id));
}

/** The rejections that a command need not declare: the aggregate does not exist, or already exists. */
export function standardRejection(
  aggregate: Pick<AnyAggregate, "name">,
  what: "UNKNOWN" | "EXISTS",
  id: string,
): Rejection {
  const words = shortName(aggregate).replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "_");
  const name = words.toUpperCase();
  const message =
    what === "UNKNOWN"
      ? `There is no ${aggregate.name} "${id}" here: it never existed, is not known yet, or is gone.`
      : `The ${aggregate.name} "${id}" exists. Use another id.`;
  return { kind: "rejection", code: `${name}_${what}`, message };
}

/**
 * The standard rejection for a conflict over a creation whose aggregate exists; undefined for any other
 * conflict.
 */
export function existsRejection({ aggregate, existing }: Conflict): Rejection | undefined {
  return existing === undefined ? undefined : standardRejection({ name: aggregate }, "EXISTS", existing);
}

/** Thrown by `get`, so that a handler need not check each row that it reads. */
function rejecting(rejection: Rejection) {
  return Object.assign(codedError(rejection.code, rejection.message), { rejection });
}

/** The rejection that a handler ended with; undefined for any other error. */
export function rejectionOf(error: unknown): Rejection | undefined {
  return (error as { rejection?: Rejection } | null)?.rejection;
}

/**
 * Refuses a commit in which the verbs change an aggregate twice: both changes would start from the version
 * that was read, so no attempt could ever succeed. Changes in Kysely's builders may build upon each other.
 *
 * @throws AGGREGATE_CHANGED_TWICE
 */
export function checkChangedOnce(changes: readonly StagedChange[]): void {
  const seen = new Set<string>();
  for (const change of changes) {
    if (change.operation === "kysely") continue;
    const { name, key } = change.definition.aggregate;
    const changed = `${name} "${String((change.operation === "create" ? change.fields : change.row)[key])}"`;
    if (seen.has(changed)) {
      throw codedError(
        "AGGREGATE_CHANGED_TWICE",
        `${shortened(changed)} is changed twice in one commit. Make it one change. Nothing was written.`,
      );
    }
    seen.add(changed);
  }
}

/** With another key it would be another aggregate, whose row it might replace. */
function checkKey({ name, key }: AnyAggregate, row: Row, fields: Row): void {
  if (fields[key] === undefined || fields[key] === row[key]) return;
  throw codedError(
    "KEY_CHANGED",
    `The ${key} of ${name} "${String(row[key])}" cannot change (to "${String(fields[key])}"). Remove the aggregate and create another one: consumers know it by its key.`,
  );
}

/** A row without its version could overwrite a change that nobody has read. */
function asRead(aggregate: AnyAggregate, row: Row): Row {
  const { version } = row;
  const key = row[aggregate.key];
  const isVersion = Number.isSafeInteger(version) && Number(version) >= 1;
  if (isVersion && key !== undefined && key !== null) return row;
  throw codedError(
    "ROW_NOT_READ",
    `This is not a row of ${aggregate.name} as it was read: its ${aggregate.key} or its version is missing. ` +
      "Pass what find, get or where returned. Nothing was written.",
  );
}
