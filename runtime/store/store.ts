import type { AnyDynamoTable, AnyPostgresTable } from "../define/table";

/** A change of one aggregate and the event that tells of it, described but not yet written. */
export type StagedChange = StagedPostgresChange | StagedDynamoChange;

/** Staged by `PostgresHandle.change`. */
export interface StagedPostgresChange {
  kind: "postgres-change";
  table: string;
  definition: AnyPostgresTable;
  type: string;
  change: unknown;
  /** Describes the change with Kysely's builders; typed where it is staged (`PostgresHandle`), so not again here. */
  describe: (builders: never) => unknown;
  /** For a new row: the last version of an earlier life under its key, from which its versions go on. Default: 0, none. */
  lastVersion?: number;
}

/** Staged by `DynamoHandle.create`, `update` and `remove`. */
export interface StagedDynamoChange {
  kind: "dynamo-change";
  operation: "create" | "update" | "remove";
  table: string;
  definition: AnyDynamoTable;
  type: string;
  change: unknown;
  /** The whole item after the change (before it, for a removal), without its version. */
  item: Record<string, unknown>;
  /** The version that was read; 0 for a new item. */
  version: number;
}

/** A change that has been written. */
export interface CommittedChange {
  /** "<domain>.<Aggregate>" */
  aggregate: string;
  id: string;
  version: number;
  event: string;
  eventId: string;
}

/** What became of a commit. Lost races are values: the caller decides whether to read again and retry. */
export type CommitOutcome =
  | { outcome: "committed"; changes: CommittedChange[] }
  | { outcome: "conflict"; aggregate: string; message: string }
  | { outcome: "duplicate" }
  /** The database did not answer, and could not be asked again: all was written, or nothing, or all still will be. */
  | { outcome: "unknown"; message: string };

/** A message or request that takes effect once. */
export interface Once {
  /** Who takes it, e.g. "shipping.placed" or "orders.commands". */
  consumer: string;
  /** The event's or the request's id. */
  messageId: string;
  /** Tells a request from another one under the same id. Given, the inbox keeps it with the changes, to answer a repeated request by. */
  fingerprint?: string;
}

/** What the inbox keeps of a request that was committed. */
export interface CommittedRequest {
  fingerprint: string;
  changes: CommittedChange[];
}

/** Where the changes come from and what makes them run once. */
export interface CommitContext {
  /** Shared by everything that one request set off. */
  correlationId: string;
  /** What directly caused the change: the command's or the event's id. */
  causationId?: string | undefined;
  /** W3C trace context. */
  traceparent?: string | undefined;
  /** Written to the inbox in the same transaction: a second commit with the same pair is a "duplicate". */
  once?: Once | undefined;
}

/** What commands and reactions need of a domain's database. */
export interface Store {
  /** Handles for what a command or reaction uses. */
  handles(uses: Record<string, unknown>): Record<string, unknown>;
  /** Writes all changes and their events, or nothing. */
  commit(changes: StagedChange[], context: CommitContext): Promise<CommitOutcome>;
  /** What was committed under a request's id, as of now; undefined if nothing was. */
  committedRequest(once: Once): Promise<CommittedRequest | undefined>;
}
