import { join } from "node:path";
import { emulatorClients, type EmulatorClients } from "../local/provision/emulator-clients";
import { liveRuns } from "../local/servers/run/run-directory";
import { codedError } from "../runtime/function/coded-error";

/** Exit code of a command that was understood and refused. */
export const EXIT_REFUSED = 2;

/** What the `domains` command knows of the system that it talks to. */
export interface RunningSystem {
  clients: EmulatorClients;
  /** Domain -> physical name of its command function. */
  commandFunctions: Record<string, string>;
  /** Domain -> projection -> physical name of its table. */
  projectionTables: Record<string, Record<string, string>>;
  /** Domain -> subscription -> URLs of its queues. */
  queues: Record<string, Record<string, SubscriptionQueues>>;
  /** Relay -> URL of the queue with records that it could not publish. */
  quarantineQueues: Record<string, string>;
  /** URL of the queue with events that no contract knows. */
  unclaimedQueue: string;
  /** Relay -> name of its table of holds. */
  holdsTables: Record<string, string>;
}

/** URLs of a subscription's queues. */
export interface SubscriptionQueues {
  queue: string;
  /** Messages that the function refused again and again. */
  deadLetters: string;
  /** Events that EventBridge could not deliver to the queue. */
  targetDeadLetters: string;
}

const PROJECT_ROOT = join(__dirname, "..", "..");

/**
 * Runs an action on the newest running `npm start` of this project.
 *
 * @throws NOTHING_RUNS
 */
export async function withSystem(action: (system: RunningSystem) => Promise<void>): Promise<void> {
  const system = findRunningSystem();
  try {
    await action(system);
  } finally {
    system.clients.close();
  }
}

function findRunningSystem(): RunningSystem {
  const run = liveRuns(PROJECT_ROOT).find(({ commandFunctions }) => commandFunctions !== undefined);
  if (!run) {
    throw codedError(
      "NOTHING_RUNS",
      "No system of this project runs on this machine. Start one with: npm start",
    );
  }
  const { endpoint, region, commandFunctions, projectionTables, queues, quarantineQueues, unclaimedQueue } =
    run;
  const { holdsTables } = run;
  return {
    clients: emulatorClients(String(endpoint), String(region)),
    // Written by the runner of the same project.
    commandFunctions: commandFunctions as RunningSystem["commandFunctions"],
    projectionTables: projectionTables as RunningSystem["projectionTables"],
    queues: queues as RunningSystem["queues"],
    quarantineQueues: quarantineQueues as RunningSystem["quarantineQueues"],
    unclaimedQueue: String(unclaimedQueue),
    holdsTables: holdsTables as RunningSystem["holdsTables"],
  };
}

/**
 * Picks what the user names.
 *
 * @param kind what it is, e.g. `domain`
 * @throws NAME_UNKNOWN with all the names there are
 */
export function choose<T>(kind: string, name: string, from: Record<string, T>): T {
  const found = Object.hasOwn(from, name) ? from[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(from).sort().join(", ") || "none";
  throw codedError("NAME_UNKNOWN", `There is no ${kind} "${name}". There are: ${names}.`);
}
