import type { TableFields } from "./fields";
import type { AnyTable } from "./table";

/**
 * Changes that a microservice can commit at once: TransactWriteItems takes 100 actions; a change takes two,
 * the inbox record one.
 */
export const MAX_CHANGES_PER_COMMIT = 49;

/** A row of an entity table: field -> value, with the version. */
export type Row = Record<string, unknown>;

/** A change of one aggregate and its event, described but not yet written. */
export type StagedChange = StagedCreate | StagedUpdate | StagedRemove | StagedKyselyChange;

/** A table as a handle works with it: its schemas are made once, and its fields described. */
export type MadeTable = AnyTable & { fields: TableFields };

/** Common to all staged changes. */
interface Staged {
  kind: "change";
  /** The name that the table is registered by. */
  table: string;
  definition: MadeTable;
  /** The event type. */
  event: string;
  change: unknown;
}

/** Staged by `create`. */
export interface StagedCreate extends Staged {
  operation: "create";
  fields: Row;
}

/** Staged by `update`. */
export interface StagedUpdate extends Staged {
  operation: "update";
  /** The row as it was read. */
  row: Row;
  fields: Row;
}

/** Staged by `remove`. */
export interface StagedRemove extends Staged {
  operation: "remove";
  /** The row as it was read. */
  row: Row;
}

/** Staged by `change` of a module's Kysely handle. */
export interface StagedKyselyChange extends Staged {
  operation: "kysely";
  /** Describes the change with Kysely's builders; `KyselyHandle` types it. */
  describe: (builders: never) => unknown;
}

/** What a handler describes: one change, several, or none (an empty array); at once, or as a promise. */
export type Described<More = never> = Awaitable<StagedChange | StagedChange[] | More>;
type Awaitable<T> = T | Promise<T>;
