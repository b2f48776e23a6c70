import { type Phase, type Report, step } from "../servers/report";
import { runShopScenario, type ScenarioResult } from "../scenario/shop";
import type { LocalSystem } from "../system/system";
import { verify, type Verdict } from "../verify/verify";

/** What running the scenario and checking the stores found. */
export interface ScenarioRun {
  scenario: ScenarioResult;
  verdict: Verdict;
}

/** Runs the shop's scenario on a system, waits until all has arrived, and checks the stores. */
export async function runAndVerify(
  system: LocalSystem,
  report: Report,
  phases: Phase[],
): Promise<ScenarioRun> {
  const scenario = await step(
    report,
    "Running the shop's scenario",
    (said) =>
      runShopScenario({
        send: (domain, command, input, id) =>
          system.send(domain, { command, input, ...(id === undefined ? {} : { id }) }),
        settled: () => system.flow.settled(),
        report: (line) => said(`  ${line}`),
      }),
    phases,
  );
  const verdict = await step(report, "Checking the stores", () => verify(system, scenario), phases);
  return { scenario, verdict };
}
