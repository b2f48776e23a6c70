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
import { waitUntilSettled } from "./settled";

/** What AWS runs between the resources: change data capture and the event source mappings. */
export interface EventFlow {
  /** How each event source stands. */
  sources(): EventSourceStatus[];
  capture: LocalCapture;
  /**
   * Resolves when everything that was committed has arrived at every subscriber, and what that set off as well.
   *
   * @throws EVENT_SOURCE_NOT_DRAINED, CAPTURE_NOT_DRAINED after the time-out (default 120 s), naming what still waits
   */
  settled(timeoutMilliseconds?: number): Promise<void>;
  stop(): Promise<void>;
}

/** What the flow runs between. */
export interface EventFlowOptions {
  servers: Servers;
  deployment: Deployment;
  topology: Topology;
  journal: Journal;
  /** Takes what goes wrong on the way; a fault run, which makes things go wrong, passes it over. */
  report: Report;
  faults?: FaultHooks | undefined;
}

const MAPPING_TYPE = "aws:lambda/eventSourceMapping:EventSourceMapping";
const SETTLE_TIMEOUT_MILLISECONDS = 120_000;

/** Starts the stand-in for DMS and an event source for each declared mapping; everything they do goes into the journal. */
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
