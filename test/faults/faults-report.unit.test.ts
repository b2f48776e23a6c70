import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BROKEN_BUILDS } from "../../dist/test/faults/broken-builds.js";
import { describeBrokenBuild, faultsReport } from "../../dist/test/faults/faults-report.js";
import { updateGuaranteesPage } from "../../dist/test/faults/guarantees-page.js";
import { withoutResult } from "../../dist/test/faults/run-broken-build.js";
import type { SeedResult } from "../../dist/test/faults/run-seed.js";
import { temporaryFolder } from "../support/process/temporary-folder";

const PAGE = join(__dirname, "..", "..", "docs", "guarantees.md");
const BUILD = BROKEN_BUILDS[0]!;
const root = temporaryFolder();

function runOf(seed: number, more: Partial<SeedResult> = {}): SeedResult {
  const counts = { faults: 1_000, operations: 900, changes: 2_000, published: 2_400, redriven: 3 };
  const injected = { "call cut": 990, "PostgreSQL killed": 10 };
  return { seed, injected, ...counts, answers: { done: 800 }, findings: [], seconds: 60, ...more };
}

test("a run holds only if every seed came to a result and nothing was found", () => {
  const results = { failed: [], brokenBuilds: [], seconds: 61.4 };
  const held = faultsReport({ ...results, runs: [runOf(1), runOf(2)] });
  expect(held).toMatchObject({ held: true, seeds: [1, 2], faults: 2_000, changes: 4_000, seconds: 61 });
  expect(held.injected).toEqual({ "PostgreSQL killed": 20, "call cut": 1_980 });

  const finding = { guarantee: "REACTION_ONCE" as const, where: "here", expected: "1", found: "2" };
  expect(faultsReport({ ...results, runs: [runOf(1, { findings: [finding] })] }).held).toBe(false);
  const failed = [{ seed: 2, message: "The emulator ended." }];
  expect(faultsReport({ ...results, runs: [runOf(1)], failed }).held).toBe(false);
});

test("a broken build whose run came to no result counts as not caught, and says why", () => {
  const result = withoutResult(BUILD, new Error("The emulator ended."));
  expect(faultsReport({ runs: [], failed: [], brokenBuilds: [result], seconds: 1 }).held).toBe(false);
  expect(describeBrokenBuild(result)).toBe(`${BUILD.name}: no result. The emulator ended.`);
});

test("the page shows the figures, and the seeds without a result", async () => {
  mkdirSync(join(root, "docs"));
  copyFileSync(PAGE, join(root, "docs", "guarantees.md"));
  const failed = [{ seed: 2, message: "Seed 2 ended with 1.\nIts log" }];
  await updateGuaranteesPage(root, faultsReport({ runs: [runOf(1)], failed, brokenBuilds: [], seconds: 60 }));
  const page = readFileSync(join(root, "docs", "guarantees.md"), "utf8");
  expect(page).toContain("seeds 1: **1,000 faults** injected into **2,000 committed changes**");
  expect(page).toContain("Seed 2 came to no result: Seed 2 ended with 1.");
  expect(page).toMatch(/\| PostgreSQL killed \| .* \| 10 \|/);
});
