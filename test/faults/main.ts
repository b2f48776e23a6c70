import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import pMap from "p-map";
import { codedError, errorCode } from "../../runtime/function/coded-error";
import { reportToStderr } from "../../local/servers/report";
import { BROKEN_BUILDS } from "./broken-builds";
import { updateGuaranteesPage } from "./guarantees-page";
import { GUARANTEES } from "../verdict/guarantees";
import { describeBrokenBuild, describeSeed, type FailedSeed, faultsReport } from "./faults-report";
import { type BrokenBuildResult, runBrokenBuild, withoutResult } from "./run-broken-build";
import { runSeed, type SeedResult } from "./run-seed";
import { runSeedProcess } from "./seed-process";

const PROJECT_ROOT = join(__dirname, "..", "..", "..");
const FAULTS_PER_SEED = 1_000;
const CHANGES_PER_FAULT = 2;

interface Options {
  seed: number;
  seeds?: number;
  faults: number;
  changes?: number;
  faultsPerVerdict?: number;
  until?: string[];
  brokenBuilds?: true;
  only?: string;
  json?: true;
  updateDocs?: true;
}

new Command("npm run faults --")
  .description(
    "Writes to the whole local system while faults are injected, and judges the contents of its stores.",
  )
  .option("--seed <n>", "the first seed; the same seed gives the same faults and writes", wholeNumber, 1)
  .option(
    "--seeds <n>",
    `how many seeds share the faults (default: one for each ${FAULTS_PER_SEED})`,
    wholeNumber,
  )
  .option("--faults <n>", "minimum number of faults to inject, over all seeds", wholeNumber, FAULTS_PER_SEED)
  .option(
    "--changes <n>",
    "minimum number of changes to commit, over all seeds (default: two per fault)",
    wholeNumber,
  )
  .option(
    "--faults-per-verdict <n>",
    "judge each time after this number of faults, and stop at the first finding",
    wholeNumber,
  )
  .option(
    "--until <guarantees>",
    "stop only at a finding about one of these, separated by commas",
    guarantees,
  )
  .option("--broken-builds", "check instead whether builds with a mistake are caught")
  .option(
    "--only <texts>",
    "with --broken-builds: only those whose name contains one of these texts, separated by commas",
  )
  .option("--json", "print one JSON document on standard output")
  .option("--update-docs", "write the figures into docs/guarantees.md")
  .action(run)
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`${errorCode(error) ?? "ERROR"}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  });

async function run(options: Options): Promise<void> {
  const startedAt = performance.now();
  const { runs, failed } = options.brokenBuilds ? { runs: [], failed: [] } : await runSeeds(options);
  const brokenBuilds = options.brokenBuilds ? await runBrokenBuilds(options) : [];
  const seconds = (performance.now() - startedAt) / 1_000;
  const report = faultsReport({ runs, failed, brokenBuilds, seconds });
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  if (options.updateDocs) await updateGuaranteesPage(PROJECT_ROOT, report);
  process.exitCode = report.held ? 0 : 1;
}

/** A seed without a result does not affect the others. */
async function runSeeds(options: Options): Promise<{ runs: SeedResult[]; failed: FailedSeed[] }> {
  const { seed, faults, changes = faults * CHANGES_PER_FAULT, faultsPerVerdict, until } = options;
  const seeds = options.seeds ?? Math.max(1, Math.ceil(faults / FAULTS_PER_SEED));
  const shares = Array.from({ length: seeds }, (_, index) => ({
    projectRoot: PROJECT_ROOT,
    seed: seed + index,
    faults: Math.ceil(faults / seeds),
    changes: Math.ceil(changes / seeds),
    report: reportToStderr,
    ...(faultsPerVerdict === undefined ? {} : { faultsPerVerdict }),
    ...(until === undefined ? {} : { until }),
  }));
  const runs: SeedResult[] = [];
  const failed: FailedSeed[] = [];
  const run = async (share: (typeof shares)[number]) => {
    if (seeds === 1) {
      const result = await runSeed(share);
      for (const line of describeSeed(result)) reportToStderr(line);
      runs.push(result);
      return;
    }
    try {
      runs.push(await runSeedProcess(share));
    } catch (error) {
      const { message } = error as Error;
      reportToStderr(message);
      failed.push({ seed: share.seed, message });
    }
  };
  await pMap(shares, run, { concurrency: availableParallelism() });
  runs.sort((one, other) => one.seed - other.seed);
  return { runs, failed };
}

async function runBrokenBuilds({ seed, only = "" }: Options): Promise<BrokenBuildResult[]> {
  const builds = BROKEN_BUILDS.filter(({ name }) => only.split(",").some((text) => name.includes(text)));
  if (builds.length === 0)
    throw codedError("BROKEN_BUILD_UNKNOWN", `No broken build's name contains "${only}".`);
  const run = async (build: (typeof BROKEN_BUILDS)[number]) => {
    const result = await runBrokenBuild(PROJECT_ROOT, build, seed).catch((error: Error) =>
      withoutResult(build, error),
    );
    reportToStderr(describeBrokenBuild(result));
    return result;
  };
  return pMap(builds, run, { concurrency: availableParallelism() });
}

function guarantees(text: string): string[] {
  const names = text.split(",");
  const unknown = names.find((name) => !Object.hasOwn(GUARANTEES, name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(
    `There is no guarantee "${unknown}". There are: ${Object.keys(GUARANTEES).join(", ")}.`,
  );
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError("It is not a whole number of at least 1.");
  return number;
}
