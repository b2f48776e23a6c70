import type { BrokenBuildResult } from "./run-broken-build";
import type { SeedResult } from "./run-seed";

/** A seed whose run had no result. */
export interface FailedSeed {
  seed: number;
  message: string;
}

/** The output of `npm run faults -- --json`. */
export interface FaultsReport {
  /** Whether every seed had a result, nothing was found, and every broken build was caught. */
  held: boolean;
  /** ISO 8601 date. */
  date: string;
  seeds: number[];
  faults: number;
  changes: number;
  published: number;
  /** Duration from the first seed's start to the last one's end. */
  seconds: number;
  /** Kind of fault -> how often it was injected, over all seeds. */
  injected: Record<string, number>;
  runs: SeedResult[];
  failed: FailedSeed[];
  brokenBuilds: BrokenBuildResult[];
}

/** The results that a report summarizes. */
export type FaultsResults = Pick<FaultsReport, "runs" | "failed" | "brokenBuilds" | "seconds">;

/** Summarizes the results. */
export function faultsReport({ runs, failed, brokenBuilds, seconds }: FaultsResults): FaultsReport {
  const sum = (of: (run: SeedResult) => number) => runs.reduce((total, run) => total + of(run), 0);
  const injected: Record<string, number> = {};
  for (const run of runs) {
    for (const [kind, count] of Object.entries(run.injected)) injected[kind] = (injected[kind] ?? 0) + count;
  }
  return {
    held:
      failed.length === 0 &&
      runs.every(({ findings }) => findings.length === 0) &&
      brokenBuilds.every(({ caught }) => caught),
    date: new Date().toISOString().slice(0, 10),
    seeds: runs.map(({ seed }) => seed),
    faults: sum(({ faults }) => faults),
    changes: sum(({ changes }) => changes),
    published: sum(({ published }) => published),
    seconds: Math.round(seconds),
    injected: Object.fromEntries(Object.entries(injected).sort()),
    runs,
    failed,
    brokenBuilds,
  };
}

const MAX_LINES = 20;

/** Describes a run in some lines: its seed, the faults by kind, and the verdict. */
export function describeSeed(run: SeedResult): string[] {
  const { seed, faults, operations, changes, published, redriven, seconds, injected, answers, findings } =
    run;
  const counts = (of: Record<string, number>) =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  return [
    `seed ${seed}: ${faults} faults, ${operations} operations, ${changes} changes, ${published} publications, ${redriven} redriven, ${seconds} s`,
    `  faults: ${counts(injected)}`,
    `  answers: ${counts(answers)}`,
    `  verdict: ${findings.length === 0 ? "all guarantees held" : `${findings.length} findings`}`,
    ...findings
      .slice(0, MAX_LINES)
      .map(
        ({ guarantee, where, expected, found }) =>
          `  ${guarantee}: ${where}: expected ${expected}; found ${found}`,
      ),
    ...(findings.length > MAX_LINES
      ? [`  ... and ${findings.length - MAX_LINES} more (--json has all)`]
      : []),
  ];
}

/** Describes the result of a broken build in one line. */
export function describeBrokenBuild(result: BrokenBuildResult): string {
  const { name, caught, faults, seconds, findings, breaks } = result;
  const found = Object.entries(findings).map(([guarantee, count]) => `${guarantee} ${count}`);
  if (result.failed) return `${name}: no result. ${result.failed}`;
  const verdict = caught
    ? `caught within ${faults} faults`
    : `NOT caught within ${faults} faults (${breaks.join(", ")})`;
  return `${name}: ${verdict}, ${seconds} s (${found.join(", ") || "nothing found"})`;
}
