import type { Client } from "pg";
import { OUTBOX_TABLE, SLOT_NAME_SQL } from "./names";

interface SlotRow {
  name: string;
  /** Null where there is no such slot. */
  wal_status: string | null;
  exists: boolean;
}

/**
 * Creates the slot of change data capture where it is missing although its migration was run: a dump has no slots,
 * and neither has a snapshot or a clone. A slot that has lost its log is reported and left alone, since dropping it
 * is for a person to decide.
 *
 * @param report takes what an operator has to know: a new slot captures nothing that was committed before it
 */
export async function restoreSlot(client: Client, report: (line: string) => void): Promise<void> {
  const { rows } = await client.query<SlotRow>(`
    select wanted.name, slots.wal_status, slots.slot_name is not null as exists
      from (select ${SLOT_NAME_SQL} as name) as wanted
      left join pg_replication_slots as slots on slots.slot_name = wanted.name`);
  const [slot] = rows;
  if (!slot) return;
  if (slot.wal_status === "lost") {
    report(
      `The replication slot "${slot.name}" has lost its log (max_slot_wal_keep_size), so nothing is captured. Drop it ` +
        `(select pg_drop_replication_slot('${slot.name}')) and run the migrations again, which create it again. ${WHAT_IS_MISSING}`,
    );
  }
  if (slot.exists) return;
  await client.query("select pg_create_logical_replication_slot($1, 'test_decoding')", [slot.name]);
  const { rows: counted } = await client.query<{ events: string }>(
    `select count(*) as events from ${OUTBOX_TABLE}`,
  );
  report(
    `Created the replication slot "${slot.name}", which was missing. It captures what is committed from now on. The outbox has ` +
      `${counted[0]?.events} event(s) from before. ${WHAT_IS_MISSING}`,
  );
}

const WHAT_IS_MISSING =
  'Events that were not captured have to be published from the outbox: see "A lost slot" in docs/operations.md';
