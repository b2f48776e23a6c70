import type { Guarantee } from "../../test/verdict/guarantees";
import type { Phase } from "../servers/report";
import type { LocalSystem } from "../system/system";
import type { Run } from "./run-scenario";

/** What happened to data when a guarantee does not hold, in one or two words. */
const KINDS: Readonly<Record<string, readonly Guarantee[]>> = {
  lost: ["ONE_EVENT_PER_CHANGE", "EVERY_EVENT_PUBLISHED", "EVERY_EVENT_REACHES_ITS_SUBSCRIBERS"],
  "applied twice": ["REACTION_ONCE"],
  stale: ["PROJECTION_EQUALS_SOURCE", "GONE_IN_PROJECTIONS"],
  leaked: ["NOTHING_PRIVATE_LEAVES"],
};

/** Describes a run and its findings in a few lines. */
export function describeRun(run: Run): string[] {
  const { steps, snapshot, requests, faults } = run;
  const outcomes = Object.entries(outcomesOf(run)).map(([outcome, count]) => `${count} ${outcome}`);
  const sent = requests.reduce((sum, { answers }) => sum + answers.length, 0);
  const kinds = Object.entries(countsOf(run)).map(([kind, count]) => `${kind} ${count}`);
  return [
    "",
    `${sent} commands: ${outcomes.join(", ")}`,
    ...steps.map(
      ({ step, what, counted, count }) =>
        `  step ${step}  ${what.padEnd(22)} ${String(count).padStart(5)} ${counted}`,
    ),
    `${snapshot.outbox.length} events, ${projectedRows(run)} projected rows compared with their sources: ${kinds.join(", ")}`,
    faults.length === 0 ? "All held." : `NOT all held:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`,
    "",
  ];
}

/** The output of `npm start -- --once --json`. */
export function jsonReport(system: LocalSystem, run: Run, phases: Phase[]) {
  const { deployment, servers, journal, tap } = system;
  const { snapshot, requests, faults, findings, steps } = run;
  const packages = deployment.resources.flatMap(({ name, packageBytes }) =>
    packageBytes === undefined ? [] : [[name, packageBytes] as const],
  );
  return {
    held: faults.length === 0,
    faults,
    findings,
    commands: {
      sent: counted(
        requests.flatMap(({ domain, command, answers }) => answers.map(() => `${domain}.${command}`)),
      ),
      outcomes: outcomesOf(run),
    },
    steps,
    events: {
      inOutboxes: snapshot.outbox.length,
      byType: counted(snapshot.outbox.map(({ type }) => type)),
      repeatsOnTheBus: tap.events().length - new Set(tap.events().map(({ id }) => id)).size,
    },
    projections: Object.fromEntries(
      Object.entries(snapshot.projections).map(([table, rows]) => [
        table,
        {
          rows: rows.filter(({ fields }) => fields).length,
          tombstones: rows.filter(({ fields }) => !fields).length,
        },
      ]),
    ),
    ...countsOf(run),
    latencyMilliseconds: latencies(journal.journeys()),
    resources: {
      total: deployment.resources.length,
      byType: counted(deployment.resources.map(({ type }) => type)),
      replacedLocally: deployment.differences,
    },
    packageBytes: Object.fromEntries(packages),
    emulator: { version: servers.emulator.version, iamEnforced: servers.emulator.authEnforced },
    postgres: servers.postgres.version,
    phases,
  };
}

function outcomesOf({ requests }: Run): Record<string, number> {
  return counted(
    requests.flatMap(({ answers }) =>
      answers.map(({ outcome, code }) => (code === undefined ? outcome : `${outcome}: ${code}`)),
    ),
  );
}

function countsOf({ findings }: Run): Record<string, number> {
  const of = (guarantees: readonly string[]) =>
    findings.filter(({ guarantee }) => guarantees.includes(guarantee)).length;
  return Object.fromEntries(Object.entries(KINDS).map(([kind, guarantees]) => [kind, of(guarantees)]));
}

function projectedRows({ snapshot }: Run): number {
  return Object.values(snapshot.projections).flat().length;
}

function counted(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
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
