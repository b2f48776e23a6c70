import { diskFailure, foldersOfRuns } from "../servers/disk";
import { type Phase, reportToStderr } from "../servers/report";
import { startSystem } from "../system/system";
import { describeRun, jsonReport } from "./report";
import { DERIVED_SCENARIO, runScenario } from "./run-scenario";
import { findScenario } from "./scenario";

/**
 * Starts the system, runs the scenario once, judges the stores, prints a report and stops. The exit code is 0
 * only if all held.
 */
export async function runOnce({ projectRoot, json }: { projectRoot: string; json: boolean }): Promise<void> {
  const phases: Phase[] = [];
  const report = reportToStderr;
  const system = await startSystem({ projectRoot, report, phases });
  try {
    const found = findScenario(system.registry);
    if (!found.scenario) report(found.why);
    const run = await runScenario(system, found.scenario ?? DERIVED_SCENARIO, report, phases);
    for (const line of describeRun(run)) report(line);
    if (json) process.stdout.write(`${JSON.stringify(jsonReport(system, run, phases), null, 2)}\n`);
    process.exitCode = run.faults.length === 0 ? 0 : 1;
  } catch (error) {
    // Looked at before stopping makes room again.
    throw diskFailure(error, foldersOfRuns(projectRoot)) ?? error;
  } finally {
    await system.servers.stops.stopAll();
  }
}
