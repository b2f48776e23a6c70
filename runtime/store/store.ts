import type { StagedChange } from "../define/change";
import type { Uses } from "../define/handles";
import type { Environment, VariableName } from "../function/environment";

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
  | Conflict
  | { outcome: "duplicate" }
  /** The database did not answer, and could not be asked again: all was written, or nothing, or all still will be. */
  | { outcome: "unknown"; message: string };

/** Nothing was written, because something had changed. */
export interface Conflict {
  outcome: "conflict";
  /** "<domain>.<Aggregate>" */
  aggregate: string;
  message: string;
  /** The key of an aggregate that was to be created and exists. */
  existing?: string;
}

/** A message or request that takes effect once. */
export interface Once {
  /** Who takes it, e.g. "shipping.placed" or "orders.commands". */
  consumer: string;
  /** The event's or the request's id. */
  messageId: string;
  /** Of a request: distinguishes it from another one under the same id. The inbox keeps it with the changes, to answer a repeat. */
  fingerprint?: string;
}

/** What the inbox keeps of a request that was committed. */
export interface CommittedRequest {
  fingerprint: string;
  changes: CommittedChange[];
}

/** Where the changes come from and what makes them take effect once. */
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
  /** Makes the handles for what a command or reaction uses; for one function they are made once. */
  handles(uses: Uses): Record<string, unknown>;
  /** Writes all changes and their events, or nothing. */
  commit(changes: StagedChange[], context: CommitContext): Promise<CommitOutcome>;
  /** What was committed under a request's id, as of now; undefined if nothing was. */
  committedRequest(once: Once): Promise<CommittedRequest | undefined>;
}

/** How a function opens its domain's database. */
export interface StoreOpener<V extends VariableName> {
  /** The environment variables that name it. */
  variables: readonly V[];
  /** Called once at each cold start. */
  open: (environment: Environment<V>) => Store;
}
