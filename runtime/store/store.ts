import type { StagedChange } from "../define/change";
import type { Rejection } from "../define/rejection";
import type { Uses } from "../define/handles";
import type { Environment, VariableName } from "../function/handler";

/** A committed change. */
export interface CommittedChange {
  /** "<domain>.<Aggregate>" */
  aggregate: string;
  id: string;
  version: number;
  event: string;
  eventId: string;
}

/**
 * The outcome of a commit. A lost race is a value and not an error: the caller decides whether to read again
 * and retry.
 */
export type CommitOutcome =
  | { outcome: "committed"; changes: CommittedChange[] }
  | Conflict
  | Refused
  | { outcome: "duplicate" }
  /**
   * The database did not answer and could not be reached again: everything was written, or nothing, or
   * everything still will be.
   */
  | { outcome: "unknown"; message: string };

/**
 * Nothing was written, because an aggregate had changed since it was read, or exists although it was to be
 * created.
 */
export interface Conflict {
  outcome: "conflict";
  /** "<domain>.<Aggregate>" */
  aggregate: string;
  message: string;
  /** The key of an aggregate that exists although it was to be created. */
  existing?: string;
}

/** Nothing was written, because a constraint or a trigger of the domain's own tables refused a change. */
export interface Refused {
  outcome: "refused";
  rejection: Rejection;
}

/** A message or request that takes effect once. */
export interface Once {
  /** Who processes it, e.g. "shipping.placed" or "orders.commands". */
  consumer: string;
  /** The event's or the request's id. */
  messageId: string;
  /**
   * Of a request: a hash of its content, which tells a repeat from another request with the same id. The
   * inbox keeps it with the changes.
   */
  fingerprint?: string;
}

/** The inbox's record of a committed request. */
export interface CommittedRequest {
  fingerprint: string;
  changes: CommittedChange[];
}

/** What caused the changes, and what makes them take effect once. */
export interface CommitContext {
  /** Shared by everything that one request caused. */
  correlationId: string;
  /** What directly caused the change: the command's or the event's id. */
  causationId?: string | undefined;
  /** W3C trace context. */
  traceparent?: string | undefined;
  /** Written to the inbox in the same transaction: a second commit with the same pair is a "duplicate". */
  once?: Once | undefined;
}

/** A domain's database, as commands and reactions use it. */
export interface Store {
  /** The handles for what a command or reaction uses; made once per function. */
  handles(uses: Uses): Record<string, unknown>;
  /** Writes all changes and their events, or nothing. */
  commit(changes: StagedChange[], context: CommitContext): Promise<CommitOutcome>;
  /** What was committed with a request's id so far; undefined if nothing was. */
  committedRequest(once: Once): Promise<CommittedRequest | undefined>;
  /**
   * Runs work whose database calls fail once this time, in milliseconds, is up, so that work that was given up
   * holds no connection. @default its calls are not bounded
   */
  within?<Result>(milliseconds: number, work: () => Promise<Result>): Promise<Result>;
}

/** Opens a domain's database in a function. */
export interface StoreOpener<V extends VariableName> {
  /** The environment variables that name the database. */
  variables: readonly V[];
  /** Called once per cold start. */
  open: (environment: Environment<V>) => Store;
}
