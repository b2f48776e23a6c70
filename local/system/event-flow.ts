import { codedError } from "../../runtime/function/coded-error";
import { processed, waitUntilAllDrained } from "../event-sources/drain";
import { type EventSource, type EventSourceStatus, startEventSource } from "../event-sources/event-source";
import type { EventSourceMappingInputs } from "../event-sources/mapping-inputs";
import type { Observation } from "../event-sources/observation";
import { type ProgressWatch, watchProgress } from "../event-sources/progress";
import type { Journal } from "../journey/journey";
import { recordObservation } from "../journey/record";
import type { Deployment } from "../provision/deployment";
import type { Report } from "../servers/report";
import type { Servers } from "../servers/start-servers";
import { type LocalCapture, startLocalCapture } from "./capture";
import type { FaultHooks } from "./fault-hooks";
import type { Topology } from "./topology";

/**
 * The stand-ins for what AWS runs between the resources: change data capture and the event source mappings.
 */
export interface EventFlow {
  /** The status of each event source. */
  sources(): EventSourceStatus[];
  capture: LocalCapture;
  /**
   * Resolves when everything that was committed has arrived at every subscriber, including the events that
   * this caused.
   *
   * @throws EVENT_SOURCE_NOT_DRAINED, CAPTURE_NOT_DRAINED once nothing moves any more, naming what is still
   *   waiting
   */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Options of `startEventFlow`. */
export interface EventFlowOptions {
  servers: Servers;
  deployment: Deployment;
  topology: Topology;
  journal: Journal;
  /** Takes the problems of event sources; a fault run, which causes them, ignores them. */
  report: Report;
  faults?: FaultHooks | undefined;
}

const MAPPING_TYPE = "aws:lambda/eventSourceMapping:EventSourceMapping";
/**
 * How long nothing may move. A message whose function failed is hidden for 180 s (six times the function's
 * timeout), and the last invocation may take 30 s.
 */
const STALL_MILLISECONDS = 210_000;
const POLL_MILLISECONDS = 50;

/**
 * Starts the stand-in for DMS and an event source for each declared mapping; the journal records everything
 * they do.
 */
export async function startEventFlow(options: EventFlowOptions): Promise<EventFlow> {
  const { servers, deployment, topology, journal, report, faults } = options;
  const { endpoint, region } = servers.emulator;
  const subscriptionOf = (functionName: string) => {
    const name = topology.functions.get(functionName);
    return name !== undefined && topology.subscriptions.has(name) ? name : undefined;
  };
  const observe = (observation: Observation): void => {
    if (observation.kind === "problem") {
      report(`${observation.functionName}: ${observation.code}: ${observation.message}`);
    }
    recordObservation(journal, subscriptionOf, observation);
  };
  const sources: EventSource[] = deployment.byType(MAPPING_TYPE).map(({ inputs }) => {
    const functionName = topology.functions.get(String(inputs["functionName"]).split(":").at(-1) ?? "") ?? "";
    return startEventSource({
      // The provisioner resolved the declared inputs; startEventSource checks them.
      mapping: inputs as unknown as EventSourceMappingInputs,
      emulator: { endpoint, region },
      observe,
      ...(faults && { faults: faults.deliveryFaults(functionName), pace: faults.pace }),
    });
  });
  const capture = await startLocalCapture(options);
  await Promise.all(sources.map(({ ready }) => ready));
  return {
    sources: () => sources.map((source) => source.status()),
    capture,
    settled: () => waitUntilSettled(sources, capture),
    async stop() {
      await Promise.all([capture.stop(), ...sources.map((source) => source.stop())]);
    },
  };
}

/**
 * Waits until everything that was committed has arrived everywhere. A reaction writes to an outbox again,
 * which capture must then deliver. So capture must be idle before and after all sources were drained, with no
 * new record in between.
 *
 * @throws EVENT_SOURCE_NOT_DRAINED, CAPTURE_NOT_DRAINED once nothing moves any more
 */
export async function waitUntilSettled(
  sources: readonly EventSource[],
  capture: Pick<LocalCapture, "isIdle" | "records">,
  stallMilliseconds = STALL_MILLISECONDS,
): Promise<void> {
  const watch = watchProgress(() => `${capture.records()} ${processed(sources)}`, stallMilliseconds);
  for (;;) {
    await waitUntilCaptured(capture, watch);
    const before = capture.records();
    await waitUntilAllDrained(sources, { watch });
    if ((await capture.isIdle()) && capture.records() === before) return;
  }
}

async function waitUntilCaptured(capture: Pick<LocalCapture, "isIdle">, watch: ProgressWatch): Promise<void> {
  while (!(await capture.isIdle())) {
    if (watch.isStalled()) {
      throw codedError(
        "CAPTURE_NOT_DRAINED",
        "Change data capture has not read everything that was committed, and does not go on. Look at the database's log.",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}
