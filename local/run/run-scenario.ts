import pMap from "p-map";
import { v7 as uuid } from "uuid";
import { randomStream } from "../../test/faults/plan/random";
import { derivedOperations } from "../../test/faults/writers/derived";
import { type Judgement, openVerdict } from "../../test/verdict/verdict";
import type { JournaledCommand } from "../../test/verdict/writers-journal";
import { type Phase, type Report, step } from "../servers/report";
import type { LocalSystem } from "../system/system";
import type { Scenario, ScenarioResult, Stage } from "./scenario";
import { describeSteps, type StepReport } from "./steps";

/** A run of a scenario, and what judging the stores found. */
export interface Run extends Judgement {
  result: ScenarioResult;
  /** The requests, with their answers. */
  requests: JournaledCommand[];
  /** Observations of each of the nine steps of the reference architecture. */
  steps: StepReport[];
  /** Unexpected answers and findings, a line each; empty if all held. */
  faults: string[];
}

/** The scenario of a project without one: commands derived from its domains. */
export const DERIVED_SCENARIO: Scenario = {
  title: "commands derived from the domains",
  domains: [],
  tell: () => Promise.resolve({ surprises: [], tries: [] }),
};

const DERIVED_COMMANDS = 120;
const CONCURRENCY = 6;

/** Runs a scenario on a system and judges the contents of the stores. */
export async function runScenario(
  system: LocalSystem,
  scenario: Scenario,
  report: Report,
  phases: Phase[],
): Promise<Run> {
  const verdict = await openVerdict(system, scenario.known);
  try {
    const requests = new Map<string, JournaledCommand>();
    const result = await step(
      report,
      `Running ${scenario.title}`,
      (said) => {
        const stage: Stage = {
          send: noting(system, requests),
          settled: () => system.flow.settled(),
          report: (line) => said(`  ${line}`),
        };
        return scenario === DERIVED_SCENARIO ? runDerived(system, stage) : scenario.tell(stage);
      },
      phases,
    );
    const journal = {
      requests: [...requests.values()],
      poison: [],
      privateMarks: { ...scenario.privateMarks },
    };
    const judgement = await step(report, "Checking the stores", () => verdict.judge(journal), phases);
    const steps = describeSteps(system, judgement.snapshot);
    const found = judgement.findings.map(
      ({ guarantee, where, expected, found: instead }) =>
        `${guarantee}: ${where}: expected ${expected}, found ${instead}`,
    );
    return {
      ...judgement,
      result,
      requests: journal.requests,
      steps,
      faults: [...result.surprises, ...found],
    };
  } finally {
    verdict.close();
  }
}

/** Sends commands and records their answers for the verdict. */
function noting(system: LocalSystem, requests: Map<string, JournaledCommand>): Stage["send"] {
  return async (domain, command, input, id) => {
    const answer = await system.send(domain, { command, input, ...(id === undefined ? {} : { id }) });
    const requestId = id ?? (answer.outcome === "invalid" ? uuid() : answer.id);
    const known = requests.get(requestId);
    if (known) known.answers.push(answer);
    else {
      const hasNoRecord = id === undefined ? { hasNoRecord: true as const } : {};
      requests.set(requestId, {
        kind: "command",
        requestId,
        ...hasNoRecord,
        domain,
        command,
        answers: [answer],
      });
    }
    return answer;
  };
}

async function runDerived(system: LocalSystem, { send, settled, report }: Stage): Promise<ScenarioResult> {
  const operationAt = derivedOperations(system.registry.all);
  const result: ScenarioResult = { surprises: [], tries: [] };
  if (!operationAt) return result;
  report(`${DERIVED_COMMANDS} commands, with inputs generated from their schemas`);
  const seed = randomStream(0, "story").between(1, 1_000_000);
  const operations = Array.from({ length: DERIVED_COMMANDS }, (_, index) => operationAt(seed, index));
  await pMap(
    operations,
    async (operation) => {
      if (operation.kind !== "command") return;
      const { domain, command, input, requestId } = operation;
      await send(domain, command, input as object, requestId);
    },
    { concurrency: CONCURRENCY },
  );
  await settled();
  return result;
}
