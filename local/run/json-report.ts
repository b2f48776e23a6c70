import type { Phase } from "../servers/report";
import type { LocalSystem } from "../system/system";
import type { ScenarioRun } from "./scenario-run";

/** The one document of `npm start -- --once --json`. */
export function jsonReport(system: LocalSystem, { scenario, verdict }: ScenarioRun, phases: Phase[]) {
  const { deployment, servers, journal } = system;
  const byType: Record<string, number> = {};
  for (const { type } of deployment.resources) byType[type] = (byType[type] ?? 0) + 1;
  const packages = deployment.resources.flatMap(({ name, packageBytes }) =>
    packageBytes === undefined ? [] : [[name, packageBytes] as const],
  );
  const { events, projections } = verdict;
  return {
    held: verdict.held,
    faults: verdict.faults,
    commands: { sent: scenario.sent, outcomes: scenario.outcomes },
    steps: verdict.steps,
    events: {
      publishedByType: events.byType,
      inOutboxes: verdict.outboxEvents,
      repeatsOnTheBus: events.repeats,
    },
    projections: {
      tables: projections.tables,
      fieldsCompared: projections.fieldsCompared,
      different: projections.different,
    },
    lost: [...events.lost, ...projections.missing],
    duplicated: events.appliedTwice,
    stale: [...projections.stale, ...projections.extra],
    leaks: events.leaks,
    latencyMilliseconds: latencies(journal.journeys()),
    resources: { total: deployment.resources.length, byType, replacedLocally: deployment.differences },
    packageBytes: Object.fromEntries(packages),
    emulator: { version: servers.emulator.version, iamEnforced: servers.emulator.authEnforced },
    postgres: servers.postgres.version,
    phases,
  };
}

/** From the commit to the end of each delivery. */
function latencies(journeys: ReturnType<LocalSystem["journal"]["journeys"]>) {
  const all = journeys
    .flatMap(({ committedAt, deliveries }) =>
      [...deliveries.values()].map(({ doneAt }) => (doneAt ?? NaN) - committedAt),
    )
    .filter((milliseconds) => !Number.isNaN(milliseconds))
    .sort((a, b) => a - b);
  const at = (share: number) => Math.round(all[Math.floor((all.length - 1) * share)] ?? 0);
  return { deliveries: all.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
