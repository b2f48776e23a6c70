import { join } from "node:path";
import { findRunningSystem, type RunningSystem } from "./running-system";

const PROJECT_ROOT = join(__dirname, "..", "..");

/**
 * Does something with the running system, and lets go of it.
 *
 * @throws NOTHING_RUNS
 */
export async function withSystem(action: (system: RunningSystem) => Promise<void>): Promise<void> {
  const system = findRunningSystem(PROJECT_ROOT);
  try {
    await action(system);
  } finally {
    system.clients.close();
  }
}
