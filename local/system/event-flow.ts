import { codedError } from "../../runtime/function/coded-error";
import { waitUntilAllDrained } from "../event-sources/drain";
import { type EventSource, type EventSourceStatus, startEventSource } from "../event-sources/event-source";
import type { EventSourceMappingInputs } from "../event-sources/mapping-inputs";
import type { Observation } from "../event-sources/observation";
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
   * @throws EVENT_SOURCE_NOT_DRAINED, CAPTURE_NOT_DRAINED after the timeout (default 120 s), naming what is
   *   still waiting
   */
  settled(timeoutMilliseconds?: number): Promise<void>;
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
const SETTLE_TIMEOUT_MILLISECONDS = 120_000;
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
    settled: (timeoutMilliseconds = SETTLE_TIMEOUT_MILLISECONDS) =>
      waitUntilSettled(sources, capture, timeoutMilliseconds),
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
 * @throws EVENT_SOURCE_NOT_DRAINED, CAPTURE_NOT_DRAINED after the timeout
 */
async function waitUntilSettled(
  sources: readonly EventSource[],
  capture: LocalCapture,
  timeoutMilliseconds: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMilliseconds;
  for (;;) {
    await waitUntilCaptured(capture, deadline);
    const before = capture.records();
    await waitUntilAllDrained(sources, { timeoutMilliseconds: Math.max(0, deadline - Date.now()) });
    if ((await capture.isIdle()) && capture.records() === before) return;
  }
}

async function waitUntilCaptured(capture: LocalCapture, deadline: number): Promise<void> {
  while (!(await capture.isIdle())) {
    if (Date.now() >= deadline) {
      throw codedError(
        "CAPTURE_NOT_DRAINED",
        "Change data capture has not read everything that was committed.",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}
