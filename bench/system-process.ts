/** The process of the whole local system. The bench starts it to measure the start-up from a new process. */
import { join } from "node:path";
import { v7 as uuid } from "uuid";
import { type Phase, reportToStderr } from "../local/servers/report";
import { type LocalSystem, startSystem } from "../local/system/system";
import { FIXTURE_DOMAINS } from "../test/fixtures/source";
import { type EventsResult, runEvents } from "./event-load";

/** A message of the process to its parent. */
export type SystemMessage =
  | { kind: "projected"; phases: Phase[]; commandMilliseconds: number; projectedMilliseconds: number }
  | { kind: "events"; events: EventsResult };

const PROJECT_ROOT = join(__dirname, "..", "..");
const FIRST_EVENT_TIMEOUT_MILLISECONDS = 60_000;

async function main(withEvents: boolean): Promise<void> {
  const phases: Phase[] = [];
  const system = await startSystem({
    projectRoot: PROJECT_ROOT,
    report: reportToStderr,
    phases,
    source: FIXTURE_DOMAINS,
  });
  try {
    send({ kind: "projected", phases, ...(await firstEvent(system)) });
    if (withEvents) send({ kind: "events", events: await runEvents(system, reportToStderr) });
  } finally {
    await system.servers.stops.stopAll();
  }
}

/** Sends one command through its deployed function and waits until a subscriber has processed its event. */
async function firstEvent(system: LocalSystem) {
  const started = performance.now();
  const projected = new Promise<number>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error("No event was projected in time.")),
      FIRST_EVENT_TIMEOUT_MILLISECONDS,
    );
    system.journal.onProgress(({ deliveries }) => {
      if (![...deliveries.values()].some(({ doneAt }) => doneAt !== undefined)) return;
      clearTimeout(late);
      resolve(performance.now() - started);
    });
  });
  const input = { memberId: uuid(), name: "Ada", email: "ada@example.org", city: "London" };
  const answer = await system.send("members", { command: "joinLibrary", input });
  if (answer.outcome !== "done")
    throw new Error(`The command was answered with "${answer.outcome}", not "done".`);
  const commandMilliseconds = performance.now() - started;
  return { commandMilliseconds, projectedMilliseconds: await projected };
}

function send(message: SystemMessage): void {
  process.send?.(message);
}

main(process.argv[2] === "events")
  .then(() => process.disconnect?.())
  .catch((error: unknown) => {
    process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
    process.exit(1);
  });
