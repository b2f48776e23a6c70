import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadDomains } from "../../dist/domains/registry.js";
import { findScenario } from "../../dist/local/run/scenario.js";
import { type OnceReport, type OnceResult, runSystemOnce } from "../support/process/run-once";

const PROJECT_ROOT = join(__dirname, "..", "..");
/** Additional tests of the project on the report; found by the file's path, like the scenario. */
const EXPECTATIONS = join(PROJECT_ROOT, "scenario", "expectations.ts");

const registry = loadDomains();
const { scenario } = findScenario(registry);

let result: OnceResult;
beforeAll(async () => {
  result = await runSystemOnce(PROJECT_ROOT);
});

describe("the whole system, with the project's own domains", () => {
  test("holds in every point, with IAM enforced", () => {
    expect(result.report.faults).toEqual([]);
    expect(result.report.held).toBe(true);
    expect(result.report.emulator.iamEnforced).toBe(true);
    expect(result.exitCode).toBe(0);
  });

  test("loses nothing, applies nothing twice, leaves nothing stale and leaks nothing private", () => {
    const { lost, stale, leaked, "applied twice": twice } = result.report;
    expect({ lost, twice, stale, leaked }).toEqual({ lost: 0, twice: 0, stale: 0, leaked: 0 });
  });

  test("sends commands to every domain of the scenario; without one, to every domain that has some", () => {
    const sent = new Set(Object.keys(result.report.commands.sent).map((name) => name.split(".")[0]));
    const domains = scenario?.domains ?? registry.all.map(({ name }) => name);
    const commanded = registry.all.filter(
      ({ name, commands }) => domains.includes(name) && Object.keys(commands).length > 0,
    );
    expect([...sent]).toEqual(expect.arrayContaining(commanded.map(({ name }) => name)));
  });

  test("keeps every package within 400 KB", () => {
    for (const bytes of Object.values(result.report.packageBytes)) expect(bytes).toBeLessThan(400 * 1024);
  });
});

if (scenario && existsSync(EXPECTATIONS)) {
  const { expectOf } = (await import(EXPECTATIONS)) as { expectOf: (report: () => OnceReport) => void };
  expectOf(() => result.report);
}
