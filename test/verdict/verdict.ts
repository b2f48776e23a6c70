import type { LocalSystem } from "../../local/system/system";
import type { Finding } from "./finding";
import { judge } from "./judge";
import type { Known, Landscape } from "./facts";
import { landscapeOf } from "./landscape";
import type { Snapshot } from "./snapshot";
import { startDynamoAudit } from "./stores/audit-dynamodb";
import { installAudit } from "./stores/audit-postgres";
import { takeSnapshot } from "./stores/take-snapshot";
import type { WritersJournal } from "./writers-journal";

/** What was judged, and what was found. */
export interface Judgement {
  snapshot: Snapshot;
  /** Every place where a guarantee does not hold; none: all held. */
  findings: Finding[];
}

/** Watches a system and judges what its stores hold. */
export interface Verdict {
  landscape: Landscape;
  /** Reads what the emulator forgets when it is restarted; to be called before that, while nothing is written. */
  beforeRestart(): Promise<void>;
  /** Judges; to be called when everything has settled. */
  judge(journal: WritersJournal): Promise<Judgement>;
  close(): void;
}

/**
 * Begins to watch a system, before anything is written to it.
 *
 * @param known what is known of its domains beside what they register
 */
export async function openVerdict(system: LocalSystem, known: Known = {}): Promise<Verdict> {
  const landscape = landscapeOf(system.registry.all, known);
  await installAudit(system.database.adminUrl, landscape);
  const audit = await startDynamoAudit(system.servers.emulator, system.physicalTable, landscape);
  return {
    landscape,
    beforeRestart: () => audit.read(),
    async judge(journal) {
      const snapshot = await takeSnapshot(system, audit, landscape);
      return { snapshot, findings: judge(snapshot, journal, landscape) };
    },
    close: () => audit.close(),
  };
}
