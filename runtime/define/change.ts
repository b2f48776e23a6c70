import type { AnyTable } from "./table";

/** An aggregate as a table holds it: field -> value, with its version. */
export type Row = Record<string, unknown>;

/** A change of one aggregate and the event that tells of it, described but not yet written. */
export type StagedChange = StagedCreate | StagedUpdate | StagedRemove | StagedKyselyChange;

/** What all staged changes have. */
interface Staged {
  kind: "change";
  /** The name that the table is registered by. */
  table: string;
  definition: AnyTable;
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
  /** As it was read. */
  row: Row;
  fields: Row;
}

/** Staged by `remove`. */
export interface StagedRemove extends Staged {
  operation: "remove";
  /** As it was read. */
  row: Row;
}

/** Staged by a module's `change`. */
export interface StagedKyselyChange extends Staged {
  operation: "kysely";
  /** Describes the change with Kysely's builders; typed where it is staged (`KyselyHandle`), so not again here. */
  describe: (builders: never) => unknown;
}
