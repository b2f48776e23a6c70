import { type Phase, reportToStderr } from "../servers/report";
import { startSystem } from "../system/system";
import { describeRun, jsonReport } from "./report";
import { findScenario } from "./scenario";
import { DERIVED_STORY, tellAndJudge } from "./tell";

/** Starts the system, tells the scenario once, judges, prints and stops; the exit code is 0 only if all held. */
export async function runOnce({ projectRoot, json }: { projectRoot: string; json: boolean }): Promise<void> {
  const phases: Phase[] = [];
  const report = reportToStderr;
  const system = await startSystem({ projectRoot, report, phases });
  try {
    const found = findScenario(system.registry);
    if (!found.scenario) report(found.why);
    const run = await tellAndJudge(system, found.scenario ?? DERIVED_STORY, report, phases);
    for (const line of describeRun(run)) report(line);
    if (json) process.stdout.write(`${JSON.stringify(jsonReport(system, run, phases), null, 2)}\n`);
    process.exitCode = run.faults.length === 0 ? 0 : 1;
  } finally {
    await system.servers.stops.stopAll();
  }
}
