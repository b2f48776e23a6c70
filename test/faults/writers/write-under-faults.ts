import { moduleUrl } from "../../../local/system/database";
import type { JournaledRequest } from "../../verdict/writers-journal";
import { happen, type Incident, type Scene } from "../plan/incidents";
import type { Operations } from "./operation";
import { runTransaction, runCommand } from "./run-operation";

/** How a seed's operations are run. */
export interface WritingOptions {
  seed: number;
  operationAt: Operations;
  /** Operations at a time. */
  concurrency: number;
  /** In the order of the run. */
  incidents: readonly Incident[];
}

/** The writers of a run. */
export interface Writers {
  /** Number of operations begun so far. */
  begun(): number;
  /** The requests so far, with their answers. */
  journal(): readonly JournaledRequest[];
  /**
   * Continues with the seed's operations and incidents until `isEnough`, and until everything that was begun
   * has ended.
   *
   * @throws the error of an incident, e.g. of a server that did not come up again; writers stop then
   */
  writeUntil(isEnough: () => boolean): Promise<void>;
}

/** Makes the writers of a run. They run a seed's operations, several at a time, while incidents happen. */
export function makeWriters(
  scene: Scene,
  { seed, operationAt, concurrency, incidents }: WritingOptions,
): Writers {
  const { system, schedule, writers } = scene;
  const journal: JournaledRequest[] = [];
  const waiting = [...incidents];
  let begun = 0;
  // One at a time: taking several servers down together proves nothing more.
  let happening = Promise.resolve();
  let failed = false;
  const next = async (): Promise<void> => {
    const operation = operationAt(seed, begun);
    begun += 1;
    while (waiting[0] && waiting[0].atOperation <= begun) {
      const incident = waiting.shift() as Incident;
      happening = happening.then(() => happen(incident, scene));
      // writeUntil reports it; an unhandled rejection would end the process before that.
      happening.catch(() => (failed = true));
    }
    const noted = await writers.pass(async (): Promise<JournaledRequest> =>
      operation.kind === "command"
        ? runCommand(operation, (domain, request) => system.send(domain, request), schedule)
        : runTransaction(operation, moduleUrl(system.database, operation.module)),
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
