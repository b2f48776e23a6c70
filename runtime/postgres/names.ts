/*
 * The framework's objects in the monolith's database. Its migrations create them; all other code uses these
 * names.
 */

export const OUTBOX_TABLE = "outbox";
/** Messages and requests that each consumer has processed. */
export const INBOX_TABLE = "inbox";
/** The last version of each aggregate that is currently deleted. */
export const DELETED_AGGREGATES_TABLE = "deleted_aggregates";

/** What the events of each aggregate say, by the contract that was registered when the database was migrated. */
export const CONTRACTS_TABLE = "registered_contracts";

/** Records the framework's migrations. */
export const FRAMEWORK_MIGRATIONS_TABLE = "domain_consistency_migrations";
/** Records the teams' migrations. */
export const DOMAIN_MIGRATIONS_TABLE = "domain_migrations";

/** Table names that no module may use. */
export const RESERVED_TABLES: readonly string[] = [
  OUTBOX_TABLE,
  INBOX_TABLE,
  DELETED_AGGREGATES_TABLE,
  CONTRACTS_TABLE,
  FRAMEWORK_MIGRATIONS_TABLE,
  DOMAIN_MIGRATIONS_TABLE,
];

/** Publication of the inserts into the outbox, for a reader that uses pgoutput. */
export const PUBLICATION = "outbox_publication";
/** The schema of AWS DMS's heartbeat table. */
export const HEARTBEAT_SCHEMA = "awsdms";

const SLOT_SUFFIX = "_outbox";

/**
 * The slot that change data capture reads. Slots belong to the cluster, so its name contains the database's.
 */
export function slotName(database: string): string {
  return `${database}${SLOT_SUFFIX}`;
}

/** The same name as an SQL expression, for the current database. */
export const SLOT_NAME_SQL = `current_database() || '${SLOT_SUFFIX}'`;
