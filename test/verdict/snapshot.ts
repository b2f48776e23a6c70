/** Column or field -> value, as its store has it. */
export type Row = Record<string, unknown>;

/** One committed change of an entity table, as the audit recorded it beside the program. */
export interface AuditedChange {
  /** "<domain>.<Aggregate>" */
  aggregate: string;
  id: string;
  operation: "insert" | "update" | "delete";
  /** Version before the change; null for an insert where nothing was. */
  oldVersion: number | null;
  /** Version after it. A deletion has one of its own. */
  newVersion: number;
  /** All columns after the change, private ones included; null after a deletion. */
  row: Row | null;
  /** PostgreSQL's id of the transaction; DynamoDB tells none. */
  transaction?: string;
}

/** A row of an entity table, or what DynamoDB keeps of an aggregate that is gone, or PostgreSQL's note of its last version. */
export interface EntityRow {
  aggregate: string;
  id: string;
  version: number;
  /** All columns; null if the aggregate is gone. */
  row: Row | null;
}

/** An entry of an outbox. */
export interface OutboxEntry {
  id: string;
  aggregate: string;
  aggregateId: string;
  version: number;
  type: string;
  data: { change?: unknown; state?: unknown };
  correlationId: string;
  causationId: string | undefined;
  /** ISO 8601. */
  occurredAt: string;
  /** As the audit recorded it; DynamoDB tells none. */
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
export interface SetAsideMessage {
  /** Logical name of the queue, e.g. "orders-on-customers-dlq" or "monolith-relay-quarantine". */
  queue: string;
  body: string;
}

/** Everything that the stores held at the end of a run: plain data, which the verdict is computed from. */
export interface Snapshot {
  /** In the order in which each aggregate was changed. */
  changes: AuditedChange[];
  entities: EntityRow[];
  outbox: OutboxEntry[];
  inbox: InboxRecord[];
  /** Logical name of the table, e.g. "orders-customers-projection" -> its rows. */
  projections: Record<string, ProjectedRow[]>;
  /** CloudEvents seen on the bus, repeats included. */
  bus: unknown[];
  setAside: SetAsideMessage[];
}
