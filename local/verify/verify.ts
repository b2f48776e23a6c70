import { PRIVATE_MARK, type ScenarioResult } from "../scenario/shop";
import type { LocalSystem } from "../system/system";
import { compareEvents, type EventReport } from "./events";
import { compareProjections, type ProjectionReport } from "./projections";
import { readSources } from "./sources";
import { describeSteps, type StepReport } from "./steps";
import { openStores, type Stores } from "./stores";

/** What was found in the stores. */
export interface Verdict {
  /** True only if nothing is lost, applied twice, stale, leaked or otherwise wrong. */
  held: boolean;
  /** What is wrong, a line each. */
  faults: string[];
  events: EventReport;
  projections: ProjectionReport;
  /** What was observed of each of the nine steps of the reference. */
  steps: StepReport[];
  outboxEvents: number;
}

const BUS_TAP_MILLISECONDS = 10_000;

/** Reads all stores and checks what must hold between them. */
export async function verify(system: LocalSystem, scenario: ScenarioResult): Promise<Verdict> {
  const { servers, database, registry, physicalTable } = system;
  await tapIsEmpty(system);
  const stores = await openStores({ ...servers.emulator, adminUrl: database.adminUrl });
  try {
    const sources = await readSources(registry, stores, physicalTable);
    const events = compareEvents(registry, sources, system.tap.events(), PRIVATE_MARK);
    const projections = await compareProjections(registry, sources, stores, physicalTable);
    const steps = await describeSteps(system, sources, projections);
    const faults = [
      ...scenario.surprises,
      ...faultsOf(events, projections, steps),
      ...(await leaks(system, stores)),
    ];
    return {
      held: faults.length === 0,
      faults,
      events,
      projections,
      steps,
      outboxEvents: sources.outbox.length,
    };
  } finally {
    await stores.close();
  }
}

function faultsOf(events: EventReport, projections: ProjectionReport, steps: StepReport[]): string[] {
  const found: [what: string, where: string[]][] = [
    ["lost", events.lost],
    ["on the bus but in no outbox", events.unknown],
    ["without its one event", events.gaps],
    ["applied twice", events.appliedTwice],
    ["leaked", events.leaks],
    ["missing in the projection", projections.missing],
    ["stale", projections.stale],
    ["different from its source", projections.different],
    ["still there though its source is gone", projections.extra],
  ];
  const silent = steps
    .filter(({ count }) => count === 0)
    .map(({ step, what }) => `Step ${step} (${what}) was not observed`);
  return [...found.flatMap(([what, where]) => where.map((name) => `${name}: ${what}`)), ...silent];
}

/** Nothing private may be in another domain's projection either. */
async function leaks({ registry, physicalTable }: LocalSystem, stores: Stores): Promise<string[]> {
  const found: string[] = [];
  for (const domain of [...registry.modules, ...registry.microservices]) {
    for (const [name, { kind }] of Object.entries(domain.subscriptions)) {
      if (kind !== "project") continue;
      const items = await stores.items(physicalTable(`${domain.name}-${name}-projection`));
      if (JSON.stringify(items).includes(PRIVATE_MARK))
        found.push(`${domain.name}.${name}: holds private data`);
    }
  }
  return found;
}

async function tapIsEmpty({ tap }: LocalSystem): Promise<void> {
  const deadline = Date.now() + BUS_TAP_MILLISECONDS;
  while (!(await tap.isIdle()) && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
}
