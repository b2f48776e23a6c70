import type { WrittenRequest } from "../../verdict/writers-journal";
import { databaseUrl } from "../../../local/system/database";
import { happen, type Incident, type Scene } from "../plan/incidents";
import type { Operations } from "./operation";
import { runTransaction } from "./run-transaction";
import { sendCommand } from "./send-command";

/** How a seed's operations are run. */
export interface WritingOptions {
  seed: number;
  operationAt: Operations;
  /** Operations at a time. */
  concurrency: number;
  /** In their order. */
  incidents: readonly Incident[];
}

/** The writers of a run. */
export interface Writers {
  /** Operations begun so far. */
  begun(): number;
  /** What the writers noted so far. */
  journal(): readonly WrittenRequest[];
  /**
   * Goes on with the seed's operations and incidents until this is so, and all that was begun has ended.
   *
   * @throws what an incident failed with, e.g. a server that did not come up again; writers stop then
   */
  writeUntil(isEnough: () => boolean): Promise<void>;
}

/** Makes the writers of a run; they run a seed's operations, several at a time, while incidents happen. */
export function makeWriters(
  scene: Scene,
  { seed, operationAt, concurrency, incidents }: WritingOptions,
): Writers {
  const { system, schedule, writers } = scene;
  const legacyUrl = databaseUrl(system.database, system.database.application);
  const journal: WrittenRequest[] = [];
  const waiting = [...incidents];
  let begun = 0;
  // One at a time: servers that go down together prove no more.
  let happening = Promise.resolve();
  let failed = false;
  const next = async (): Promise<void> => {
    const operation = operationAt(seed, begun);
    begun += 1;
    while (waiting[0] && waiting[0].atOperation <= begun) {
      const incident = waiting.shift() as Incident;
      happening = happening.then(() => happen(incident, scene));
      // It is told by writeUntil; unheard until then, it would end the process.
      happening.catch(() => (failed = true));
    }
    const noted = await writers.pass(async (): Promise<WrittenRequest> =>
      operation.kind === "command"
        ? sendCommand(operation, (domain, request) => system.send(domain, request), schedule)
        : runTransaction(operation, legacyUrl),
    );
    journal.push(noted);
  };
  return {
    begun: () => begun,
    journal: () => journal,
    async writeUntil(isEnough) {
      const writer = async (): Promise<void> => {
        while (!failed && !isEnough()) await next();
      };
      await Promise.all(Array.from({ length: concurrency }, writer));
      await happening;
    },
  };
}
