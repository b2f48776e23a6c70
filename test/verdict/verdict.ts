import type { LocalSystem } from "../../local/system/system";
import type { Finding } from "./finding";
import { judge } from "./judge";
import type { Known } from "./facts";
import { landscapeOf } from "./landscape";
import type { Snapshot } from "./snapshot";
import { startDynamoAudit } from "./stores/audit-dynamodb";
import { installAudit } from "./stores/audit-postgres";
import { takeSnapshot, tapIsIdle } from "./stores/take-snapshot";
import type { WritersJournal } from "./writers-journal";

/** A judged snapshot and its findings. */
export interface Judgement {
  snapshot: Snapshot;
  /** Every place where a guarantee does not hold; empty if all held. */
  findings: Finding[];
}

/** Watches a system and judges what its stores hold. */
export interface Verdict {
  /**
   * Reads what the emulator loses in a restart: the streams, and the order of the events on the bus. Call it before a
   * restart, while nothing is written.
   */
  beforeRestart(): Promise<void>;
  /** Judges the stores. Call it when everything has settled. */
  judge(journal: WritersJournal): Promise<Judgement>;
  close(): void;
}

/**
 * Starts to watch a system. Call it before anything is written to it.
 *
 * @param known what is known about its domains beside what they register
 */
export async function openVerdict(system: LocalSystem, known: Known = {}): Promise<Verdict> {
  const landscape = landscapeOf(system.registry.all, known);
  await installAudit(system.database.adminUrl, landscape);
  const audit = await startDynamoAudit(system.servers.emulator, system.physicalTable, landscape);
  return {
    async beforeRestart() {
      await audit.read();
      await tapIsIdle(system.tap);
    },
    async judge(journal) {
      const snapshot = await takeSnapshot(system, audit, landscape);
      return { snapshot, findings: judge(snapshot, journal, landscape) };
    },
    close: () => audit.close(),
  };
}
