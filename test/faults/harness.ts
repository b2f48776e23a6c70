import type { FaultHooks } from "../../local/system/fault-hooks";
import { diskFailure, foldersOfRuns } from "../../local/servers/disk";
import { type LocalSystem, startSystem, type SystemOptions } from "../../local/system/system";
import { codedError } from "../../runtime/function/coded-error";
import { type Brake, makeBrake } from "./plan/brake";
import { callFaults } from "./plan/call-faults";
import { deliveryFaults } from "./plan/delivery-faults";
import type { FaultSchedule } from "./plan/fault-schedule";
import { statementFaults } from "./plan/statement-faults";
import { type FunctionProxies, openFunctionProxies } from "./proxies/function-proxies";

/** Injects faults into a system. */
export interface Harness {
  hooks: FaultHooks;
  stop(): Promise<void>;
}

/** Short, so that event sources continue soon after a server is up again. */
const PROBLEM_MILLISECONDS = 300;
/** The number that AWS starts with, so that reactions of one subscription race each other. */
const CONCURRENT_BATCHES = 5;

/** Opens the harness; the proxies listen before the servers start. */
export async function openHarness(
  schedule: FaultSchedule,
  seed: number,
): Promise<Harness & { brake: Brake }> {
  const proxies: FunctionProxies = await openFunctionProxies({
    seed,
    decideCall: callFaults(schedule, () => proxies.clients().events),
    decideStatement: statementFaults(schedule),
  });
  const captureFault = (): Promise<void> => {
    if (!schedule.draw("capture", ["capture restarted"])) return Promise.resolve();
    return Promise.reject(codedError("FAULT_INJECTED", "Fault injection crashed capture."));
  };
  const brake = makeBrake();
  return {
    brake,
    hooks: {
      ...proxies.hooks,
      deliveryFaults: (functionName) => deliveryFaults(schedule, functionName, brake),
      beforePut: captureFault,
      beforeAcknowledge: captureFault,
      pace: {
        problemMilliseconds: PROBLEM_MILLISECONDS,
        maximumConcurrency: CONCURRENT_BATCHES,
      },
    },
    stop: () => proxies.stop(),
  };
}

/** Starts a system with a harness's faults, runs `work` on it, and stops both. */
export async function withFaultySystem<Result>(
  harness: Harness,
  options: Pick<SystemOptions, "projectRoot" | "source">,
  work: (system: LocalSystem) => Promise<Result>,
): Promise<Result> {
  try {
    const silent = { report: () => undefined, phases: [] };
    const system = await startSystem({ ...options, ...silent, faults: harness.hooks });
    try {
      return await work(system);
    } catch (error) {
      // Looked at before stopping makes room again.
      throw diskFailure(error, foldersOfRuns(options.projectRoot)) ?? error;
    } finally {
      await system.servers.stops.stopAll();
    }
  } finally {
    await harness.stop();
  }
}
