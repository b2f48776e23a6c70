import pMap from "p-map";
import { v7 as uuid } from "uuid";
import { randomStream } from "../../test/faults/plan/random";
import { derivedOperations } from "../../test/faults/writers/derived";
import { type Judgement, openVerdict } from "../../test/verdict/verdict";
import type { CommandRequest } from "../../test/verdict/writers-journal";
import { type Phase, type Report, step } from "../servers/report";
import type { LocalSystem } from "../system/system";
import type { Scenario, Stage, Told } from "./scenario";
import { describeSteps, type StepReport } from "./steps";

/** What telling a scenario and judging the stores found. */
export interface Run extends Judgement {
  told: Told;
  /** The requests, with what was answered. */
  requests: CommandRequest[];
  /** What was observed of each of the nine steps of the reference. */
  steps: StepReport[];
  /** What is wrong, a line each; empty if all held. */
  faults: string[];
}

/** A story of a project that has none of its own: commands derived from what its domains register. */
export const DERIVED_STORY: Scenario = {
  title: "commands derived from the domains",
  domains: [],
  tell: () => Promise.resolve({ surprises: [], tries: [] }),
};

const DERIVED_COMMANDS = 120;
const CONCURRENCY = 6;

/** Tells a scenario on a system, waits until all has arrived, and judges what the stores hold. */
export async function tellAndJudge(
  system: LocalSystem,
  scenario: Scenario,
  report: Report,
  phases: Phase[],
): Promise<Run> {
  const verdict = await openVerdict(system, scenario.known);
  try {
    const requests = new Map<string, CommandRequest>();
    const told = await step(
      report,
      `Running ${scenario.title}`,
      (said) => {
        const stage: Stage = {
          send: noting(system, requests),
          settled: () => system.flow.settled(),
          report: (line) => said(`  ${line}`),
        };
        return scenario === DERIVED_STORY ? tellDerived(system, stage) : scenario.tell(stage);
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
    return { ...judgement, told, requests: journal.requests, steps, faults: [...told.surprises, ...found] };
  } finally {
    verdict.close();
  }
}

/** Sends commands and notes what was answered, as the verdict wants to know it. */
function noting(system: LocalSystem, requests: Map<string, CommandRequest>): Stage["send"] {
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

async function tellDerived(system: LocalSystem, { send, settled, report }: Stage): Promise<Told> {
  const operationAt = derivedOperations(system.registry.all);
  const told: Told = { surprises: [], tries: [] };
  if (!operationAt) return told;
  report(`${DERIVED_COMMANDS} commands, with inputs made from their schemas`);
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
  return told;
}
