/** What the writers of a run noted, and what was injected on purpose: all that the verdict knows besides the stores. */
export interface WritersJournal {
  requests: WrittenRequest[];
  poison: Poison[];
  /** Domain -> values that stand in its private columns only: a text counts wherever it is part of one, a number as a whole. */
  privateMarks: Record<string, readonly (string | number)[]>;
}

/** A request to change something. */
export type WrittenRequest = CommandRequest | SqlRequest;

/** A command, sent once or more often under the same id. */
export interface CommandRequest {
  kind: "command";
  requestId: string;
  /** The caller gave it no id, so the inbox has no record of it. @default false */
  hasNoRecord?: true;
  domain: string;
  command: string;
  /** In the order in which they were sent; empty counts as one lost. */
  answers: ToldAnswer[];
}

/** What the caller was told. */
export interface ToldAnswer {
  /** "unknown": an error instead of an answer; "lost": nothing came. Either way it may have been done. */
  outcome: "done" | "rejected" | "conflict" | "invalid" | "unknown" | "lost";
  /** Of a rejection. */
  code?: string;
  /** Of a "done" one; what was repeated tells what the first one did. */
  changes?: ToldChange[];
  /** Done by an earlier request of that id, as the answer says. */
  repeated?: boolean;
}

/** A change that an answer told of. */
export interface ToldChange {
  aggregate: string;
  id: string;
  version: number;
  /** The event type. */
  event: string;
  eventId: string;
}

/** A transaction of raw SQL on the monolith's database. */
export interface SqlRequest {
  kind: "sql";
  /** Stands in `correlation_id` of the outbox rows that it writes; their `causation_id` is null. */
  transactionId: string;
  /** "refused": by the guard or another check; "unknown": the connection broke at the commit. */
  expected: "committed" | "rolledBack" | "refused" | "unknown";
}

/** Something that no handler can process, injected on purpose. */
export type Poison = UndecodablePoison | RefusedPoison;

/** A record that is no outbox row, put on a stream. */
export interface UndecodablePoison {
  kind: "undecodable";
  /** ARN of the stream. */
  stream: string;
  /** The record's bytes, base64. */
  payload: string;
}

/** An event that a subscription's function refuses each time. It may be in an outbox, or have been put on the bus directly. */
export interface RefusedPoison {
  kind: "refused";
  eventId: string;
  /** Logical name, e.g. "orders-on-customers". */
  subscription: string;
  /** The CloudEvent, where it is in no outbox: its message must hold exactly this. */
  detail?: unknown;
}
