import { setTimeout as delay } from "node:timers/promises";
import { moduleUrl } from "../../../local/system/database";
import type { JournaledCommand, JournaledRequest } from "../../verdict/writers-journal";
import { happen, type Incident, type Scene } from "../plan/incidents";
import type { CommandOperation, Operations } from "./operation";
import { askAgain, probe, runTransaction, runCommand, type SendRequest } from "./run-operation";

/** The emulator notices by then that a function's process was killed. */
const KILLED_MILLISECONDS = 1_000;

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
  /** Sends the commands again that have no answer yet, or lost their race. @returns how many */
  askAgain(): Promise<number>;
  /** Sends the newest commands of each domain once more, all at a time. Call it right after the faults have stopped. */
  probe(): Promise<void>;
}

/** Makes the writers of a run. They run a seed's operations, several at a time, while incidents happen. */
export function makeWriters(
  scene: Scene,
  { seed, operationAt, concurrency, incidents }: WritingOptions,
): Writers {
  const { system, schedule, writers } = scene;
  const journal: JournaledRequest[] = [];
  const commands: { operation: CommandOperation; noted: JournaledCommand }[] = [];
  const send: SendRequest = (domain, request) => system.send(domain, request);
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
    const noted = await writers.pass(async (): Promise<JournaledRequest> => {
      if (operation.kind === "command") {
        const noted = await runCommand(operation, send, schedule);
        commands.push({ operation, noted });
        return noted;
      }
      return runTransaction(operation, moduleUrl(system.database, operation.module));
    });
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
    async askAgain() {
      let asked = 0;
      for (const { operation, noted } of commands) if (await askAgain(operation, noted, send)) asked += 1;
      return asked;
    },
    async probe() {
      await delay(KILLED_MILLISECONDS);
      const domains = [...new Set(commands.map(({ operation }) => operation.domain))];
      const newest = domains.flatMap((name) =>
        commands.filter(({ operation }) => operation.domain === name).slice(-concurrency),
      );
      await Promise.all(newest.map(({ operation, noted }) => probe(operation, noted, send)));
    },
  };
}
