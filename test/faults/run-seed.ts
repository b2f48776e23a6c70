import type { Report } from "../../local/servers/report";
import type { Finding } from "../verdict/finding";
import type { Snapshot } from "../verdict/snapshot";
import { openVerdict } from "../verdict/verdict";
import { openFaultSchedule } from "./plan/fault-schedule";
import { openHarness, withFaultySystem } from "./harness";
import { planIncidents, type Scene } from "./plan/incidents";
import { openPoisoner } from "./plan/poison";
import { randomStream } from "./plan/random";
import { putBackRecords, redrive } from "./redrive";
import { whatToWrite } from "./writers/derived";
import { openGate } from "./writers/gate";
import { makeWriters, type Writers } from "./writers/write-under-faults";

/** A run of one seed. */
export interface SeedOptions {
  projectRoot: string;
  seed: number;
  /** Minimum number of faults to inject. */
  faults: number;
  /** Minimum number of changes to commit. */
  changes: number;
  /** Faults between two verdicts; the run ends with the first finding. @default one verdict, at the end */
  faultsPerVerdict?: number;
  /**
   * Guarantees of which a finding must name one to end the run: a mistake may break others first.
   *
   * @default any
   */
  until?: readonly string[];
  report: Report;
}

/** The result of a run. */
export interface SeedResult {
  seed: number;
  /** Kind -> how often it was injected. */
  injected: Record<string, number>;
  faults: number;
  operations: number;
  /** Committed changes of aggregates. */
  changes: number;
  /** Events on the bus, repeats included. */
  published: number;
  /** Outcome, as callers saw it -> how often. */
  answers: Record<string, number>;
  /** Messages that were redriven from dead-letter queues, and records that were put back from quarantine. */
  redriven: number;
  findings: Finding[];
  seconds: number;
}

/** Probability of a fault at each opportunity. */
const FAULT_RATE = 0.09;
/** Operations at a time. */
const CONCURRENCY = 10;
/** Minimum operations between two verdicts, because settling takes longer than writing. */
const FEWEST_OPERATIONS = 20;
/**
 * Estimate of the changes per operation, including reactions, until it is measured. Incidents are spread over
 * the expected operations.
 */
const CHANGES_PER_OPERATION = 1.7;
const MAX_REDRIVES = 10;
/** Interval of the progress lines. */
const PROGRESS_MILLISECONDS = 20_000;

/**
 * Starts a system, writes to it under a seed's faults, lets it settle without faults, and judges the contents
 * of its stores.
 */
export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const { projectRoot, seed, faults, changes, faultsPerVerdict = faults, until, report } = options;
  const startedAt = performance.now();
  report(`seed ${seed}: starting the system`);
  const schedule = openFaultSchedule({ seed, rate: FAULT_RATE });
  const harness = await openHarness(schedule, seed);
  return withFaultySystem(harness, { projectRoot }, async (system) => {
    const writing = whatToWrite(system);
    const verdict = await openVerdict(system, writing.known);
    const poisoner = openPoisoner(system, seed, randomStream(seed, "poison"));
    const scene: Scene = {
      system,
      schedule,
      poisoner,
      writers: openGate(),
      brake: harness.brake,
      locked: [],
      beforeRestart: () => verdict.beforeRestart(),
    };
    const operations = Math.ceil(changes / CHANGES_PER_OPERATION);
    const incidents = planIncidents(seed, operations);
    const writers = makeWriters(scene, {
      seed,
      operationAt: writing.operationAt,
      concurrency: CONCURRENCY,
      incidents,
    });
    let snapshot: Snapshot | undefined;
    let findings: Finding[] = [];
    const found = () => findings.some(({ guarantee }) => until?.includes(guarantee) ?? true);
    let redriven = 0;
    do {
      const [known, injected] = [snapshot?.changes.length ?? 0, schedule.total()];
      const wantedFaults = Math.min(faults, injected + faultsPerVerdict);
      const wantedChanges = Math.min(changes, known + Math.ceil((changes * faultsPerVerdict) / faults));
      const perOperation = known > 0 ? known / writers.begun() : CHANGES_PER_OPERATION;
      const more = Math.max(FEWEST_OPERATIONS, Math.ceil((wantedChanges - known) / perOperation));
      const wanted = writers.begun() + more;
      const done = () => `seed ${seed}: ${writers.begun()} operations, ${schedule.total()} faults`;
      const progress = setInterval(() => report(done()), PROGRESS_MILLISECONDS);
      try {
        await writers.writeUntil(() => writers.begun() >= wanted && schedule.total() >= wantedFaults);
      } finally {
        clearInterval(progress);
      }
      schedule.pause();
      report(`${done()}; settling`);
      if (writing.isKnown) await writers.probe();
      redriven += await settle(scene, writing.isKnown ? () => writers.askAgain() : () => Promise.resolve(0));
      ({ snapshot, findings } = await verdict.judge({
        requests: [...writers.journal()],
        poison: poisoner.injected(),
        locked: scene.locked,
        privateMarks: writing.privateMarks,
      }));
      schedule.resume();
    } while (!found() && (schedule.total() < faults || snapshot.changes.length < changes));
    poisoner.close();
    verdict.close();
    return {
      seed,
      injected: schedule.injected(),
      faults: schedule.total(),
      operations: writers.begun(),
      changes: snapshot.changes.length,
      published: snapshot.bus.length,
      answers: answersOf(writers),
      redriven,
      findings,
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    };
  });
}

/**
 * Waits until everything has arrived, redrives dead letters and puts quarantined records back until only poison is
 * left, and asks again for answers that are missing.
 */
async function settle({ system, poisoner }: Scene, askAgain: () => Promise<number>): Promise<number> {
  const injected = poisoner.injected();
  const refused = new Set(injected.flatMap((one) => (one.kind === "refused" ? [one.eventId] : [])));
  const undecodable = new Set(injected.flatMap((one) => (one.kind === "undecodable" ? [one.payload] : [])));
  let redriven = 0;
  for (let round = 1; round <= MAX_REDRIVES; round += 1) {
    await system.flow.settled();
    const moved = (await redrive(system, refused)) + (await putBackRecords(system, undecodable));
    redriven += moved;
    if (moved + (await askAgain()) === 0) break;
  }
  return redriven;
}

function answersOf(writers: Writers): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const noted of writers.journal()) {
    const outcomes =
      noted.kind === "sql" ? [`sql ${noted.expected}`] : noted.answers.map(({ outcome }) => outcome);
    for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}
