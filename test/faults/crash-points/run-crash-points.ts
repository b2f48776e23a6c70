import { databaseUrl } from "../../../local/system/database";
import { type LocalSystem, startSystem } from "../../../local/system/system";
import type { Finding } from "../../verdict/finding";
import { openVerdict } from "../../verdict/verdict";
import type { WrittenRequest } from "../../verdict/writers-journal";
import { openFaultSchedule } from "../plan/fault-schedule";
import { openPoisoner, type Poisoner } from "../poison";
import { randomStream } from "../plan/random";
import type { Rounds, Scenario } from "../../../local/run/scenario";
import type { DomainSource } from "../../../local/system/program";
import type { Operation } from "../writers/operation";
import { runTransaction } from "../writers/run-transaction";
import { sendCommand } from "../writers/send-command";
import { openCrashHarness } from "./crash-harness";
import { type CrashPoints, describeCrashPoint, openCrashPoints } from "./crash-points";
import { removeOldRecords } from "./retention";

/** What is written, and what is known of it. */
export type CrashScenario = Required<Pick<Scenario, "rounds" | "privateMarks" | "known">>;

/** What came of killing every step at each of its crash points. */
export interface CrashPointsResult {
  /** Where a process was killed, in that order, e.g. "monolith-relay: killed after PutEvents". */
  struck: string[];
  /** Where a step came without faults, but not when it was to be killed there: nothing but what comes together by chance (", again"). */
  missed: string[];
  /** Records that were captured once more when the database had been killed after they were acknowledged. */
  capturedAgain: number;
  /** Rounds of writing. */
  rounds: number;
  findings: Finding[];
}

/** Rounds in a row without a kill that are enough to say that the crash points left are not reached. */
const IDLE_ROUNDS = 2;
const MAX_DATABASE_KILLS = 4;
/** Strikes nobody: only the crash points are to. */
const NO_FAULTS = openFaultSchedule({ seed: 0, rate: 0 });

/**
 * Runs rounds of writing on the whole system: at first without a fault, to see what each step does, and then with each step's process
 * killed before and after each of those side effects, until none is left. A round ends when all that was written has arrived everywhere, so
 * every step has to recover. What the stores hold at the end is judged.
 *
 * @param source the domains
 * @param scenario what is written to them
 * @throws OLD_ROWS_LEFT
 */
export async function runCrashPoints(
  projectRoot: string,
  source: DomainSource,
  scenario: CrashScenario,
): Promise<CrashPointsResult> {
  const { rounds } = scenario;
  const points = openCrashPoints();
  /** Command function -> the step that it runs. */
  const commands = new Map<string, string>();
  const harness = await openCrashHarness(points, (name) => commands.get(name) ?? name);
  try {
    const system = await startSystem({
      projectRoot,
      report: () => undefined,
      phases: [],
      faults: harness.hooks,
      source,
    });
    try {
      const verdict = await openVerdict(system, scenario.known);
      const poisoner = openPoisoner(system, 0, randomStream(0, "poison"));
      const requests: WrittenRequest[] = [];
      const scene: Scene = { system, points, commands, poisoner, requests };
      let ran = 0;
      const run = () => {
        const round = rounds.at(ran);
        ran += 1;
        return runRound(round, scene);
      };
      while (ran <= rounds.firstWhole) await run();
      points.arm();
      await strikeAll(points, run);
      const capturedAgain = await killDatabase(system, run);
      const { findings } = await verdict.judge({
        requests,
        poison: poisoner.injected(),
        privateMarks: scenario.privateMarks,
      });
      poisoner.close();
      verdict.close();
      return {
        struck: points.struck().map(describeCrashPoint),
        missed: points.left().map(describeCrashPoint),
        capturedAgain,
        rounds: ran,
        findings,
      };
    } finally {
      await system.servers.stops.stopAll();
    }
  } finally {
    await harness.stop();
  }
}

interface Scene {
  system: LocalSystem;
  points: CrashPoints;
  commands: Map<string, string>;
  poisoner: Poisoner;
  /** What was written so far. */
  requests: WrittenRequest[];
}

async function runRound(round: ReturnType<Rounds["at"]>, scene: Scene): Promise<void> {
  const { system, points, poisoner, requests } = scene;
  points.newRound();
  await Promise.all([
    ...round.map(async (operations) => {
      for (const operation of operations) requests.push(await write(operation, scene));
    }),
    poisoner.undecodableRecord(),
    removeOldRecords(system, (step) => points.begins(step)),
  ]);
  await system.flow.settled();
}

function write(operation: Operation, { system, points, commands }: Scene): Promise<WrittenRequest> {
  const { database } = system;
  if (operation.kind === "sql") return runTransaction(operation, databaseUrl(database, database.application));
  return sendCommand(
    operation,
    (domain, request) => {
      const step = `${domain}-commands ${request.command}`;
      commands.set(`${domain}-commands`, step);
      points.begins(step);
      return system.send(domain, request);
    },
    NO_FAULTS,
  );
}

/** Runs rounds until no crash point is left, or those left are not reached. */
async function strikeAll(points: CrashPoints, run: () => Promise<void>): Promise<void> {
  for (let idle = 0; points.left().length > 0 && idle < IDLE_ROUNDS;) {
    const before = points.struck().length;
    await run();
    idle = points.struck().length > before ? 0 : idle + 1;
  }
}

/**
 * Kills the database when everything is acknowledged. Its slot forgets what was acknowledged since it was last written to disk, so capture
 * reads that again, from an earlier position. Where it was just written, it is tried again after another round.
 *
 * @returns how many records were captured again
 */
async function killDatabase({ servers, flow }: LocalSystem, run: () => Promise<void>): Promise<number> {
  for (let kills = 1; ; kills += 1) {
    const before = flow.capture.records();
    await servers.postgres.restart("kill");
    await flow.settled();
    const again = flow.capture.records() - before;
    if (again > 0 || kills === MAX_DATABASE_KILLS) return again;
    await run();
  }
}
