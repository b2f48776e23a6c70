import { type Phase, reportToStderr } from "../servers/report";
import { startSystem } from "../system/system";
import { jsonReport } from "./json-report";
import { runAndVerify } from "./scenario-run";
import { describeRun } from "./summary";

/** Starts the system, runs the scenario once, checks, prints and stops; the exit code is 0 only if all held. */
export async function runOnce({ projectRoot, json }: { projectRoot: string; json: boolean }): Promise<void> {
  const phases: Phase[] = [];
  const report = reportToStderr;
  const system = await startSystem({ projectRoot, report, phases });
  try {
    const run = await runAndVerify(system, report, phases);
    for (const line of describeRun(run)) report(line);
    if (json) process.stdout.write(`${JSON.stringify(jsonReport(system, run, phases), null, 2)}\n`);
    process.exitCode = run.verdict.held ? 0 : 1;
  } finally {
    await system.servers.stops.stopAll();
  }
}
