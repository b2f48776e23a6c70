import type { AnyAggregate } from "../define/aggregate";
import { shortName } from "../define/aggregate";
import type { Row, StagedChange } from "../define/change";
import type { Rejection } from "../define/command";
import type { AnyTable } from "../define/table";
import { codedError, shortened } from "../function/coded-error";
import type { Conflict } from "./store";

/** The reads of a table that a store brings; everything else about a handle is the same in each store. */
export interface TableReads {
  find(id: string): Promise<Row | undefined>;
  where(index: string, value: string): Promise<Row[]>;
}

/**
 * Makes the handle of an entity table; `TableHandle` is its type as commands see it.
 *
 * @param table the name that it is registered by
 */
export function tableHandle(table: string, definition: AnyTable, reads: TableReads) {
  const { aggregate } = definition;
  const staged = { table, definition };
  return {
    ...reads,
    get: (id: string) => found(reads.find(id), aggregate, id),
    create: (fields: Row) => unraised({ ...staged, operation: "create", fields }),
    update(row: Row, fields: Row) {
      const read = asRead(aggregate, row);
      checkKey(aggregate, read, fields);
      return unraised({ ...staged, operation: "update", row: read, fields });
    },
    remove: (row: Row) => unraised({ ...staged, operation: "remove", row: asRead(aggregate, row) }),
  };
}

type Unraised<S = StagedChange> = S extends StagedChange ? Omit<S, "kind" | "event" | "change"> : never;

/** A change that lacks its event, as `UnraisedChange`. */
export function unraised(described: Unraised) {
  return {
    // What was described is one of the four, and stays it.
    raise: (event: string, change: unknown = {}) =>
      ({ kind: "change", ...described, event, change }) as StagedChange,
  };
}

/** Answers `get`: the row, or the standard rejection. */
export async function found<R>(row: Promise<R | undefined>, aggregate: AnyAggregate, id: string): Promise<R> {
  const read = await row;
  if (read !== undefined) return read;
  throw rejecting(standardRejection(aggregate, "UNKNOWN", id));
}

/** The rejections that a command need not declare: the aggregate does not exist, or exists already. */
export function standardRejection(
  aggregate: Pick<AnyAggregate, "name">,
  what: "UNKNOWN" | "EXISTS",
  id: string,
): Rejection {
  const words = shortName(aggregate).replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "_");
  const name = words.toUpperCase();
  const message =
    what === "UNKNOWN"
      ? `There is no ${aggregate.name} "${id}" here: it was never known, is not known yet, or is gone.`
      : `The ${aggregate.name} "${id}" exists. Use another id.`;
  return { kind: "rejection", code: `${name}_${what}`, message };
}

/** The standard rejection for a conflict over an aggregate that was to be created and exists; undefined for any other conflict. */
export function existsRejection({ aggregate, existing }: Conflict): Rejection | undefined {
  return existing === undefined ? undefined : standardRejection({ name: aggregate }, "EXISTS", existing);
}

/** What `get` throws, so that a handler need not look at each row that it reads. */
function rejecting(rejection: Rejection) {
  return Object.assign(codedError(rejection.code, rejection.message), { rejection });
}

/** The rejection that a handler ended with; undefined for any other error. */
export function rejectionOf(error: unknown): Rejection | undefined {
  return (error as { rejection?: Rejection } | null)?.rejection;
}

/**
 * Refuses a commit in which the verbs change an aggregate twice: both changes would start from the version that was read, so that no
 * attempt could ever succeed. Changes in Kysely's own builders may build upon each other.
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

/** Under another key it would be another aggregate, whose row it might replace. */
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
