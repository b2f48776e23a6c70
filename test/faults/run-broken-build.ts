import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codedError } from "../../runtime/function/coded-error";
import type { BrokenBuild, Edit } from "./broken-build";
import { runSeedProcess } from "./seed-process";

/** The result of a run with a broken build. */
export interface BrokenBuildResult {
  name: string;
  /** Guarantees of which the verdict must name one. */
  breaks: readonly string[];
  caught: boolean;
  /** Faults that were injected until it was caught, or in all. */
  faults: number;
  changes: number;
  /** Guarantee -> findings. */
  findings: Record<string, number>;
  seconds: number;
  /** Why the run had no result; absent if it had one. */
  failed?: string;
}

/** Limits of a run with a broken build, which must be caught within them. */
const BOUND = { faults: 1_000, changes: 2_000, faultsPerVerdict: 60 } as const;

const NEEDED = ["package.json", "Pulumi.yaml", "Pulumi.dev.yaml"];

/**
 * Runs a seed with a copy of the compiled project that has a mistake in it.
 *
 * @throws BROKEN_BUILD_OUTDATED if a text to be replaced does not occur exactly once; SEED_FAILED if the run
 *   had no result
 */
export async function runBrokenBuild(
  projectRoot: string,
  build: BrokenBuild,
  seed: number,
): Promise<BrokenBuildResult> {
  const cache = join(".domains", "cache");
  mkdirSync(join(projectRoot, cache), { recursive: true });
  const copy = mkdtempSync(join(projectRoot, ".domains", "broken-"));
  try {
    cpSync(join(projectRoot, "dist"), join(copy, "dist"), { recursive: true });
    for (const name of NEEDED) cpSync(join(projectRoot, name), join(copy, name));
    symlinkSync(join(projectRoot, "node_modules"), join(copy, "node_modules"));
    // The project and its copies share one installation of the emulator.
    mkdirSync(join(copy, ".domains"));
    symlinkSync(join(projectRoot, cache), join(copy, cache));
    for (const edit of build.edits) {
      const path = join(copy, "dist", edit.file);
      writeFileSync(path, edited(readFileSync(path, "utf8"), edit));
    }
    const result = await runSeedProcess({ projectRoot: copy, seed, until: build.breaks, ...BOUND });
    const findings: Record<string, number> = {};
    for (const { guarantee } of result.findings) findings[guarantee] = (findings[guarantee] ?? 0) + 1;
    const { faults, changes, seconds } = result;
    const caught = build.breaks.some((guarantee) => guarantee in findings);
    return { name: build.name, breaks: build.breaks, caught, faults, changes, findings, seconds };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A broken build whose run had no result counts as not caught. */
export function withoutResult({ name, breaks }: BrokenBuild, { message }: Error): BrokenBuildResult {
  return { name, breaks, caught: false, faults: 0, changes: 0, findings: {}, seconds: 0, failed: message };
}

/** Makes the mistake in a text. */
export function edited(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  if (parts.length === 2) return parts.join(replace);
  throw codedError(
    "BROKEN_BUILD_OUTDATED",
    `"${find}" occurs ${parts.length - 1} times in dist/${file}, not once. Update test/faults/broken-builds.ts.`,
  );
}
