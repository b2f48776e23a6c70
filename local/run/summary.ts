import type { ScenarioRun } from "./scenario-run";

/** What a run did and found, in a few lines. */
export function describeRun({ scenario, verdict }: ScenarioRun): string[] {
  const total = (counts: Record<string, number>) =>
    Object.values(counts).reduce((sum, count) => sum + count, 0);
  const outcomes = Object.entries(scenario.outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const { events, projections, steps } = verdict;
  return [
    "",
    `${total(scenario.sent)} commands: ${outcomes.join(", ")}`,
    ...steps.map(
      ({ step, what, counted, count }) =>
        `  step ${step}  ${what.padEnd(22)} ${String(count).padStart(5)} ${counted}`,
    ),
    `${verdict.outboxEvents} events; lost ${events.lost.length}, applied twice ${events.appliedTwice.length}, stale ${projections.stale.length}, leaked ${events.leaks.length}`,
    `${projections.fieldsCompared} projected fields compared with their sources: ${projections.different.length + projections.missing.length} differ`,
    verdict.held ? "All held." : `NOT all held:\n${verdict.faults.map((fault) => `  - ${fault}`).join("\n")}`,
    "",
  ];
}
