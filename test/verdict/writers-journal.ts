/**
 * What the writers of a run recorded, and the injected poison: everything that the verdict knows beside the
 * stores.
 */
export interface WritersJournal {
  requests: JournaledRequest[];
  poison: Poison[];
  /** @default none */
  locked?: readonly LockedRows[];
  /**
   * Domain -> values that only its private columns hold. A text must not be part of any text, a number must
   * not equal any number.
   */
  privateMarks: Record<string, readonly (string | number)[]>;
}

/** A time in which some rows that a reaction changes were locked, and nothing else failed. */
export interface LockedRows {
  /** The reaction's name in the inbox. */
  consumer: string;
  /** Ids of the events that were on the bus before and concern none of these rows. */
  events: readonly string[];
  /** When the rows were free again: ISO 8601, by the database's clock. */
  until: string;
}

/** A request to change aggregates. */
export type JournaledRequest = JournaledCommand | JournaledTransaction;

/** A command, sent one or more times with the same id. */
export interface JournaledCommand {
  kind: "command";
  requestId: string;
  /** The caller passed no id, so the inbox has no record of it. @default false */
  hasNoRecord?: true;
  domain: string;
  command: string;
  /** In the order of sending; an empty list counts as one lost answer. */
  answers: ReceivedAnswer[];
  /**
   * How often it was sent again without an answer or after a conflict, while nothing else was written and nothing
   * failed. @default 0
   */
  askedInQuiet?: number;
}

/** An answer, as the caller saw it. */
export interface ReceivedAnswer {
  /**
   * "unknown": the function answered so; "lost": no answer arrived. In both cases the command may have taken
   * effect.
   */
  outcome: "done" | "rejected" | "conflict" | "invalid" | "unknown" | "lost";
  /** Of a rejection. */
  code?: string;
  /** Of a "done" answer; a repeated one reports the changes of the first. */
  changes?: ReportedChange[];
  /** The answer says that an earlier request with this id made the changes. */
  repeated?: boolean;
}

/** A change that an answer reports. */
export interface ReportedChange {
  aggregate: string;
  id: string;
  version: number;
  /** The event type. */
  event: string;
  eventId: string;
}

/** A transaction of raw SQL on the monolith's database. */
export interface JournaledTransaction {
  kind: "sql";
  /** The `correlation_id` of the outbox rows that it writes; their `causation_id` is null. */
  transactionId: string;
  /** "refused": by the guard or another check; "unknown": the connection broke at the commit. */
  expected: "committed" | "rolledBack" | "refused" | "unknown";
}

/** Injected data that no handler can process. */
export type Poison = UndecodablePoison | RefusedPoison | UnclaimedPoison;

/** A record on a stream that is not an outbox row. */
export interface UndecodablePoison {
  kind: "undecodable";
  /** ARN of the stream. */
  stream: string;
  /** The record's bytes, base64. */
  payload: string;
}

/** An event that a subscription's function refuses every time. It may be in an outbox, or only on the bus. */
export interface RefusedPoison {
  kind: "refused";
  eventId: string;
  /** Logical name, e.g. "orders-on-customers". */
  subscription: string;
  /** The CloudEvent, if it is in no outbox; its message must hold exactly this. */
  detail?: unknown;
}

/** An event on the bus that no contract knows; its message must hold exactly this. */
export interface UnclaimedPoison {
  kind: "unclaimed";
  eventId: string;
  /** The CloudEvent. */
  detail: unknown;
}
