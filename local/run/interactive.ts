import { printJourneys } from "../journey/print";
import { describeDifferences } from "../provision/deployment";
import { diskFailure, foldersOfRuns } from "../servers/disk";
import { type Phase, type Report, reportToStderr } from "../servers/report";
import { moduleUrl } from "../system/database";
import { type LocalSystem, startSystem } from "../system/system";
import { describeRun } from "./report";
import { runScenario } from "./run-scenario";
import { findScenario, type ScenarioResult } from "./scenario";

/** Starts the system, runs the scenario if there is one, and prints each event's journey until Ctrl-C. */
export async function runInteractively({ projectRoot }: { projectRoot: string }): Promise<void> {
  const phases: Phase[] = [];
  const report = reportToStderr;
  const system = await startSystem({ projectRoot, report, phases });
  try {
    for (const line of describeSystem(system)) report(line);
    const { scenario, ...found } = findScenario(system.registry);
    if (scenario) {
      const run = await runScenario(system, scenario, report, phases);
      for (const line of [...describeRun(run), ...invitation(system, run.result)]) report(line);
    } else {
      for (const line of ["why" in found ? found.why : "", ...invitation(system)]) report(line);
    }
    printJourneys(system.journal, (journey) => system.topology.subscribersOf(journey), report);
    await untilServerExits(system, projectRoot, report);
  } catch (error) {
    // Looked at before stopping makes room again.
    const disk = diskFailure(error, foldersOfRuns(projectRoot));
    await system.servers.stops.stopAll();
    throw disk ?? error;
  }
}

/** Lists the servers, the resources, and what is emulated locally. */
function describeSystem({ servers, database, deployment }: LocalSystem): string[] {
  const { emulator, postgres } = servers;
  const enforced = emulator.authEnforced ? "IAM enforced" : "IAM NOT enforced";
  const counts: Record<string, number> = {};
  for (const { type } of deployment.resources) {
    if (type.startsWith("aws:")) counts[type] = (counts[type] ?? 0) + 1;
  }
  const resources = Object.entries(counts).map(([type, count]) => `${count} ${type.split(":").at(-1)}`);
  return [
    "",
    `PostgreSQL ${postgres.version}   database "${database.name}", with a login for each module:`,
    ...Object.keys(database.modules).map((module) => `  ${module}: ${moduleUrl(database, module)}`),
    `AWS emulator ${emulator.version}  ${emulator.endpoint} (${enforced})`,
    `Resources          ${resources.join(", ")}`,
    "Emulated locally, or without effect here:",
    ...describeDifferences(deployment.differences).map((line) => `  - ${line}`),
    "",
  ];
}

function invitation(
  { database, registry }: LocalSystem,
  { tries = [], bypass }: Partial<ScenarioResult> = {},
): string[] {
  const bypassing = bypass
    ? [
        "Or try to bypass the outbox, and see the database refuse it:",
        `  psql ${moduleUrl(database, bypass.module)} -c "${bypass.sql}"`,
      ]
    : [];
  return [
    registry.all.length === 0
      ? "There are no domains yet: add a folder under domains/ (README.md)."
      : "The system keeps running; each event's journey is shown here as it happens. In another terminal, try:",
    ...[...tries, "npm run domains -- list"].map((line) => `  ${line}`),
    ...bypassing,
    "Ctrl-C stops everything.",
    "",
  ];
}

/** Stops the system when a server exits. Ctrl-C is handled by the stop stack. */
async function untilServerExits(system: LocalSystem, projectRoot: string, report: Report): Promise<void> {
  const { emulator, postgres, stops } = system.servers;
  const error = await Promise.race([emulator.died, postgres.died, system.flow.capture.failed]);
  const disk = diskFailure(error, foldersOfRuns(projectRoot));
  report(`A server exited unexpectedly; stopping: ${disk ? `${disk.code}: ${disk.message}` : error.message}`);
  await stops.stopAll();
  process.exitCode = 1;
}
