import type { Pool } from "pg";
import { codedError } from "../../runtime/function/coded-error";
import { formatLsn, parseLsn, type Lsn } from "./lsn";

/** What the task expects of its slot. */
export interface ExpectedSlot {
  slotName: string;
  database: string;
  startPosition: Lsn | undefined;
}

/**
 * Checks that the slot can be read as the settings say.
 *
 * @returns the position up to which it was confirmed before
 * @throws CAPTURE_SLOT_MISSING; CAPTURE_SLOT_UNUSABLE where it is of another plugin or database or has lost its log, or where
 *   the start position lies before what it was confirmed up to: that part of the log is given up
 */
export async function checkSlot(
  pool: Pool,
  { slotName, database, startPosition }: ExpectedSlot,
): Promise<Lsn> {
  const { rows } = await pool.query<SlotRow>(
    "select slot_type, plugin, database, wal_status, confirmed_flush_lsn from pg_replication_slots where slot_name = $1",
    [slotName],
  );
  const [slot] = rows;
  if (!slot) {
    throw codedError(
      "CAPTURE_SLOT_MISSING",
      `There is no replication slot "${slotName}" (postgresSettings.slotName). Run the migrations, which make "${database}_outbox", or correct the name`,
    );
  }
  const problem =
    slot.slot_type !== "logical"
      ? "is a physical slot"
      : slot.database !== database
        ? `belongs to database "${slot.database}", not to "${database}"`
        : slot.plugin !== "test_decoding"
          ? `was made for the plugin "${slot.plugin}", not for test_decoding (postgresSettings.pluginName)`
          : slot.wal_status === "lost"
            ? "has lost its log (max_slot_wal_keep_size): what was committed meanwhile cannot be captured any more"
            : undefined;
  if (problem !== undefined) {
    throw codedError(
      "CAPTURE_SLOT_UNUSABLE",
      `The replication slot "${slotName}" ${problem}. Drop it and make it anew, then rebuild the projections`,
    );
  }
  const confirmed = parseLsn(slot.confirmed_flush_lsn ?? "0/0") ?? 0n;
  if (startPosition !== undefined && startPosition < confirmed) {
    throw codedError(
      "CAPTURE_SLOT_UNUSABLE",
      `The task's cdcStartPosition "${formatLsn(startPosition)}" lies before the position up to which the slot "${slotName}" was confirmed, ` +
        `"${formatLsn(confirmed)}": the server has given that part up. Leave cdcStartPosition out to go on from there`,
    );
  }
  return confirmed;
}

interface SlotRow {
  slot_type: string;
  plugin: string | null;
  database: string | null;
  wal_status: string | null;
  confirmed_flush_lsn: string | null;
}
