import { printJourneys } from "../journey/print";
import { describeDifferences } from "../provision/deployment";
import { type Phase, type Report, reportToStderr } from "../servers/report";
import { databaseUrl } from "../system/database";
import { type LocalSystem, startSystem } from "../system/system";
import { runAndVerify } from "./scenario-run";
import { describeRun } from "./summary";

/** Starts the system, runs the scenario, and shows each event's journey until Ctrl-C. */
export async function runInteractively({ projectRoot }: { projectRoot: string }): Promise<void> {
  const phases: Phase[] = [];
  const report = reportToStderr;
  const system = await startSystem({ projectRoot, report, phases });
  try {
    for (const line of describeSystem(system)) report(line);
    const run = await runAndVerify(system, report, phases);
    for (const line of [...describeRun(run), ...invitation(run.scenario.examples.customerId, system)])
      report(line);
    printJourneys(system.journal, (journey) => system.landscape.subscribersOf(journey), report);
    await untilSomethingDies(system, report);
  } catch (error) {
    await system.servers.stops.stopAll();
    throw error;
  }
}

/** What runs where, and what is replaced on this machine. */
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
    `PostgreSQL ${postgres.version}   ${databaseUrl(database, database.application)}`,
    `AWS emulator ${emulator.version}  ${emulator.endpoint} (${enforced})`,
    `Resources          ${resources.join(", ")}`,
    "Replaced on this machine, or without effect here:",
    ...describeDifferences(deployment.differences).map((line) => `  - ${line}`),
    "",
  ];
}

function invitation(customerId: string, { database }: LocalSystem): string[] {
  return [
    "The system keeps running; each event's journey is shown here as it happens. In another terminal, try:",
    `  npm run domains -- send customers relocateCustomer '{"customerId":"${customerId}","city":"Lyon"}'`,
    `  npm run domains -- show orders customers ${customerId}`,
    "  npm run domains -- list",
    "Or go round the outbox, and see the database refuse it:",
    `  psql ${databaseUrl(database, database.application)} -c "update customers set city = 'Nowhere', version = version + 1"`,
    "Ctrl-C stops everything.",
    "",
  ];
}

/** The stop stack ends the process at Ctrl-C; this ends it when something that runs dies by itself. */
async function untilSomethingDies(system: LocalSystem, report: Report): Promise<void> {
  const { emulator, postgres, stops } = system.servers;
  const error = await Promise.race([emulator.died, postgres.died, system.flow.capture.failed]);
  report(`Stopping, since something ended by itself: ${error.message}`);
  await stops.stopAll();
  process.exitCode = 1;
}
