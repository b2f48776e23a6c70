import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as lambdaPackages from "../components/function/lambda-package";
import { stackConfig } from "../local/preview/stack-config";
import { planProgram } from "../local/provision/plan";
import type { Report } from "../local/servers/report";
import { loadProgram, PROJECT } from "../local/system/program";
import { type LoadTarget, loadTimes } from "./load-time";
import { amount, MILLISECONDS, RATIO, type Row, rowOf, singleRow, type Unit } from "./row";
import { median } from "./statistics";

const STACK = "dev";
const FUNCTION_TYPE = "aws:lambda/function:Function";
const KILOBYTES: Unit = { decimals: 0, suffix: " KB" };
const SIZE_LIMIT_KILOBYTES = 400;

/** A handler as the program packages it, and the same handler with its libraries left in node_modules. */
interface Packaged {
  owner: string;
  bundled: string;
  unbundled: string;
}

/** Measures the size of the deployment packages, and their load time compared with unbundled libraries. */
export async function benchPackages(projectRoot: string, report: Report): Promise<Row[]> {
  report("Planning the program to get its packages ...");
  const packaged: Promise<Packaged>[] = [];
  const restore = watchPackages(packaged);
  const config = stackConfig(projectRoot, PROJECT, STACK);
  const plan = await planProgram({ program: loadProgram, project: PROJECT, stack: STACK, config }).finally(
    restore,
  );
  const sizes = plan
    .byType(FUNCTION_TYPE)
    .map(({ name, packageBytes = 0 }) => sizeRow(name, packageBytes / 1024));
  // Packages with the same libraries load alike, so one of each kind is enough.
  const kinds = new Map((await Promise.all(packaged)).map((found) => [librariesOf(found), found]));
  return [...sizes, ...(await loadRows(projectRoot, [...kinds.values()], report))];
}

/** The libraries that a serialized handler requires, sorted. */
function librariesOf({ unbundled }: Packaged): string {
  const required = [...unbundled.matchAll(/require\("([^"]+)"\)/g)].map(([, library]) => library);
  return [...new Set(required)].sort().join(" ");
}

function sizeRow(name: string, kilobytes: number): Row {
  const about = { area: "packages", what: `${name}: zipped`, measured: "" };
  return singleRow(about, kilobytes, KILOBYTES, { limit: SIZE_LIMIT_KILOBYTES, is: "at most" });
}

async function loadRows(projectRoot: string, packaged: Packaged[], report: Report): Promise<Row[]> {
  mkdirSync(join(projectRoot, ".domains"), { recursive: true });
  // Inside the project, so that unbundled libraries are found in its node_modules.
  const folder = mkdtempSync(join(projectRoot, ".domains", "bench-"));
  try {
    const targets = packaged.flatMap(({ bundled, unbundled }, index): LoadTarget[] => {
      const [bundle, modules] = [join(folder, `${index}-bundled.js`), join(folder, `${index}-unbundled.js`)];
      writeFileSync(bundle, bundled);
      writeFileSync(modules, unbundled);
      return [
        { name: `${index} bundled`, path: bundle },
        { name: `${index} unbundled`, path: modules },
      ];
    });
    report(`Loading ${packaged.length} kinds of packages, bundled and unbundled ...`);
    const times = await loadTimes(targets);
    return packaged.map(({ owner }, index) => {
      const ours = times.get(`${index} bundled`) ?? [];
      const theirs = times.get(`${index} unbundled`) ?? [];
      const measured = [ours, theirs].map((values) => amount(median(values), MILLISECONDS)).join(" / ");
      const about = { area: "packages", what: `${owner}: load, bundled / unbundled`, measured };
      const ratios = ours.map((value, round) => value / (theirs[round] ?? NaN));
      return rowOf(about, ratios, RATIO);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Records each handler that the program packages, because a plan has only the size of a package.
 *
 * @returns a function that stops recording
 */
function watchPackages(packaged: Promise<Packaged>[]): () => void {
  // The exports of the compiled module, through which the program calls it.
  const module = lambdaPackages as { lambdaPackage: typeof lambdaPackages.lambdaPackage };
  const original = module.lambdaPackage;
  module.lambdaPackage = async (owner, callbackFactory) => {
    const bundled = await original(owner, callbackFactory);
    packaged.push(
      pulumi.runtime
        .serializeFunction(callbackFactory, { isFactoryFunction: true, exportName: "handler" })
        .then(({ text }) => ({ owner, bundled, unbundled: text })),
    );
    return bundled;
  };
  return () => {
    module.lambdaPackage = original;
  };
}
