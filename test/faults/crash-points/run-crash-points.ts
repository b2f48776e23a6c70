import type { Scenario } from "../../../local/run/scenario";
import { moduleUrl } from "../../../local/system/database";
import type { DomainSource } from "../../../local/system/program";
import type { LocalSystem } from "../../../local/system/system";
import type { Finding } from "../../verdict/finding";
import { openVerdict } from "../../verdict/verdict";
import type { JournaledRequest } from "../../verdict/writers-journal";
import { withFaultySystem } from "../harness";
import { openFaultSchedule } from "../plan/fault-schedule";
import { openPoisoner, type Poisoner } from "../plan/poison";
import { randomStream } from "../plan/random";
import type { Operation } from "../writers/operation";
import { runTransaction, runCommand } from "../writers/run-operation";
import { openCrashHarness } from "./crash-harness";
import { type CrashPoints, describeCrashPoint, openCrashPoints } from "./crash-points";
import { removeOldRecords } from "./retention";

/** The rounds of writing, and what is known about them. */
export type CrashScenario = { rounds: Rounds } & Required<Pick<Scenario, "privateMarks" | "known">>;

/**
 * Rounds of writing. A round has lists of operations: lists run concurrently, the operations of a list
 * sequentially.
 */
export interface Rounds {
  /**
   * @param index from 0
   */
  at(index: number): readonly (readonly Operation[])[];
  /** The first round that contains all operations. */
  firstWhole: number;
}

/** The result of killing every step at each of its crash points. */
export interface CrashPointsResult {
  /** Where processes were killed, in order, e.g. "monolith-relay: killed after PutEvents". */
  struck: string[];
  /**
   * Crash points that were seen in two rounds without faults and not reached later: at most repeats
   * (", again"), which depend on timing.
   */
  missed: string[];
  /** Records that were captured again after the database was killed behind their acknowledgement. */
  capturedAgain: number;
  findings: Finding[];
}

/** Consecutive rounds without a kill after which the remaining crash points count as not reachable. */
const IDLE_ROUNDS = 2;
const MAX_DATABASE_KILLS = 4;
/** No other faults than the crash points. */
const NO_FAULTS = openFaultSchedule({ seed: 0, rate: 0 });

/**
 * Runs rounds of writing on the whole system: first without faults, to see the side effects of each step, and
 * then killing each step's process before and after each of them, until no crash point is left. A round ends
 * when everything has arrived everywhere, so every step must recover. At the end the contents of the stores
 * are judged.
 *
 * @param source the domains
 * @param scenario the rounds of writing
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
  return withFaultySystem(harness, { projectRoot, source }, async (system) => {
    const verdict = await openVerdict(system, scenario.known);
    const poisoner = openPoisoner(system, 0, randomStream(0, "poison"));
    const requests: JournaledRequest[] = [];
    const scene: Scene = { system, points, commands, poisoner, requests };
    let ran = 0;
    const run = () => {
      const round = rounds.at(ran);
      ran += 1;
      return runRound(round, scene);
    };
    // Two whole rounds: what only one of them comes to, it came to by chance.
    while (ran <= rounds.firstWhole + 1) await run();
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
      missed: points.missed().map(describeCrashPoint),
      capturedAgain,
      findings,
    };
  });
}

interface Scene {
  system: LocalSystem;
  points: CrashPoints;
  commands: Map<string, string>;
  poisoner: Poisoner;
  /** The requests so far. */
  requests: JournaledRequest[];
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

function write(operation: Operation, { system, points, commands }: Scene): Promise<JournaledRequest> {
  const { database } = system;
  if (operation.kind === "sql") return runTransaction(operation, moduleUrl(database, operation.module));
  return runCommand(
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

/** Runs rounds until no crash point is left, or none of the remaining ones is reached. */
async function strikeAll(points: CrashPoints, run: () => Promise<void>): Promise<void> {
  for (let idle = 0; points.left().length > 0 && idle < IDLE_ROUNDS;) {
    const before = points.struck().length;
    await run();
    idle = points.struck().length > before ? 0 : idle + 1;
  }
}

/**
 * Kills the database after everything was acknowledged. Its slot loses the acknowledgements since it was last
 * written to disk, so capture reads again from an earlier position. If the slot had just been written, tries
 * again after another round.
 *
 * @returns the number of records that were captured again
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
