import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { codedError } from "../../runtime/function/coded-error";
import { FAULT_KINDS } from "./plan/fault-kinds";
import type { FaultsReport } from "./faults-report";

const PAGE = join("docs", "guarantees.md");

/**
 * Writes the figures of a report into docs/guarantees.md, between its markers: those of a fault run
 * ("figures") or of the broken builds ("broken-builds"). The text around the markers is written by hand.
 *
 * @throws GUARANTEES_PAGE_CHANGED if a marker is missing
 */
export async function updateGuaranteesPage(projectRoot: string, report: FaultsReport): Promise<void> {
  const path = join(projectRoot, PAGE);
  let page = await readFile(path, "utf8");
  if (report.runs.length > 0) page = replaced(page, "figures", figures(report));
  if (report.brokenBuilds.length > 0) page = replaced(page, "broken-builds", brokenBuilds(report));
  await writeFile(path, page);
}

function replaced(page: string, name: string, lines: string[]): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) {
    throw codedError(
      "GUARANTEES_PAGE_CHANGED",
      `"${PAGE}" has no "${start}" before "${end}". Add both markers again. The page was not changed.`,
    );
  }
  return `${page.slice(0, from + start.length)}\n\n${lines.join("\n")}\n\n${page.slice(to)}`;
}

function figures({
  date,
  seeds,
  faults,
  changes,
  published,
  seconds,
  runs,
  failed,
  injected,
}: FaultsReport): string[] {
  const findings = runs.reduce((sum, run) => sum + run.findings.length, 0);
  return [
    `${date}, seeds ${seeds.join(", ")}: **${number(faults)} faults** injected into **${number(changes)} committed changes**`,
    `(${number(published)} events on the bus, repeats included) in ${number(seconds)} s on ${availableParallelism()} cores: **${findings} findings**.`,
    ...failed.map(({ seed, message }) => `Seed ${seed} came to no result: ${message.split("\n")[0]}`),
    "",
    "| Fault | What happens | Injected |",
    "| --- | --- | ---: |",
    ...Object.entries(FAULT_KINDS).map(
      ([kind, what]) => `| ${kind} | ${what} | ${number(injected[kind] ?? 0)} |`,
    ),
  ];
}

function brokenBuilds({ date, brokenBuilds: builds }: FaultsReport): string[] {
  return [
    `${date}:`,
    "",
    "| Broken build | Guarantee that it breaks | Caught within |",
    "| --- | --- | ---: |",
    ...builds.map(
      ({ name, breaks, caught, faults, changes }) =>
        `| ${name} | ${breaks.join(", ")} | ${caught ? `${faults} faults, ${changes} changes` : "**not caught**"} |`,
    ),
  ];
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
