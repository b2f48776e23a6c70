/** Column or field -> value, as the store holds it. */
export type Row = Record<string, unknown>;

/** One committed change of an entity table, as the audit recorded it independently of the program. */
export interface AuditedChange {
  /** "<domain>.<Aggregate>" */
  aggregate: string;
  id: string;
  operation: "insert" | "update" | "delete";
  /** Version before the change; null for the first insert. */
  oldVersion: number | null;
  /** Version after the change. A deletion takes a version too. */
  newVersion: number;
  /** All columns after the change, private ones included; null after a deletion. */
  row: Row | null;
  /** PostgreSQL's transaction id; DynamoDB has none. */
  transaction?: string;
}

/**
 * A row of an entity table, or the last version of a deleted aggregate (DynamoDB's tombstone, PostgreSQL's
 * deleted_aggregates).
 */
export interface EntityRow {
  aggregate: string;
  id: string;
  version: number;
  /** All columns; null if the aggregate is deleted. */
  row: Row | null;
}

/** An entry of an outbox. */
export interface OutboxEntry {
  id: string;
  /** Logical name of the table that holds it; the monolith's is "outbox". */
  outbox: string;
  aggregate: string;
  aggregateId: string;
  version: number;
  type: string;
  data: { change?: unknown; state?: unknown };
  correlationId: string;
  causationId: string | undefined;
  /** ISO 8601. */
  occurredAt: string;
  /** As the audit recorded it; DynamoDB has none. */
  transaction?: string;
}

/** A record of an inbox. */
export interface InboxRecord {
  /** "<domain>.<subscription>" or "<domain>.commands". */
  consumer: string;
  /** The event's or the request's id. */
  messageId: string;
  /** ISO 8601. */
  processedAt: string;
}

/** A row of a projection; a tombstone has no fields. */
export interface ProjectedRow {
  aggregateId: string;
  version: number;
  fields?: Row;
}

/** A message in a dead-letter or quarantine queue. */
export interface QueuedMessage {
  /** Logical name of the queue, e.g. "orders-on-customers-dlq" or "monolith-relay-quarantine". */
  queue: string;
  body: string;
}

/** Everything that the stores held at the end of a run, as plain data. The verdict is computed from this. */
export interface Snapshot {
  /** Each aggregate's changes are in their order. */
  changes: AuditedChange[];
  entities: EntityRow[];
  outbox: OutboxEntry[];
  inbox: InboxRecord[];
  /** Logical name of the table, e.g. "orders-customers-projection" -> its rows. */
  projections: Record<string, ProjectedRow[]>;
  /** CloudEvents seen on the bus, in their order, repeats included. */
  bus: unknown[];
  deadLetters: QueuedMessage[];
  quarantined: QueuedMessage[];
  /** The lines that functions have logged. */
  log: string[];
}
