import { Client } from "pg";
import { SLOT_NAME_SQL } from "./names";

/** The slot that change data capture reads, as the database has it. */
export interface SlotPosition {
  /** E.g. "monolith_outbox". */
  slot: string;
  /** From where the slot has the changes, e.g. "2/7C007178"; the start position of a new DMS task. */
  position: string;
}

/**
 * Reads from where the slot of a database has the changes.
 *
 * @param databaseUrl any login of the database
 * @returns undefined when there is no slot
 * @throws PostgreSQL's own errors
 */
export async function slotPosition(databaseUrl: string): Promise<SlotPosition | undefined> {
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => {}); // a broken connection also fails the statement
  await client.connect();
  try {
    const { rows } = await client.query<SlotPosition>(
      `select slot_name as slot, confirmed_flush_lsn::text as position from pg_replication_slots
       where slot_name = ${SLOT_NAME_SQL} and confirmed_flush_lsn is not null`,
    );
    return rows[0];
  } finally {
    await client.end().catch(() => {});
  }
}
