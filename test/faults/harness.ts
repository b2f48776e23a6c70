import { codedError } from "../../runtime/function/coded-error";
import type { FaultHooks } from "../../local/system/fault-hooks";
import { callFaults } from "./plan/call-faults";
import { deliveryFaults } from "./plan/delivery-faults";
import type { FaultSchedule } from "./plan/fault-schedule";
import { type FunctionProxies, openFunctionProxies } from "./proxies/function-proxies";
import { statementFaults } from "./plan/statement-faults";

/** Everything through which faults get into a system. */
export interface Harness {
  hooks: FaultHooks;
  stop(): Promise<void>;
}

/** Shorter than on AWS (six times the function's timeout), so that what a killed function had in hand comes again soon. */
const VISIBILITY_TIMEOUT_SECONDS = 3;
/** Soon after a server is up again. */
const PROBLEM_MILLISECONDS = 300;
/** As many as AWS begins with, so that reactions of one subscription race each other. */
const CONCURRENT_BATCHES = 5;

/** Opens the harness; the proxies listen before the servers start. */
export async function openHarness(schedule: FaultSchedule, seed: number): Promise<Harness> {
  const proxies: FunctionProxies = await openFunctionProxies({
    seed,
    decideCall: callFaults(schedule, () => proxies.clients().events),
    decideStatement: statementFaults(schedule),
  });
  const captureFault = (): Promise<void> => {
    if (!schedule.draw("capture", ["capture restarted"])) return Promise.resolve();
    return Promise.reject(codedError("FAULT_INJECTED", "Capture was crashed on purpose."));
  };
  return {
    hooks: {
      ...proxies.hooks,
      deliveryFaults: (functionName) => deliveryFaults(schedule, functionName),
      beforePut: captureFault,
      beforeAcknowledge: captureFault,
      pace: {
        visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
        problemMilliseconds: PROBLEM_MILLISECONDS,
        maximumConcurrency: CONCURRENT_BATCHES,
      },
    },
    stop: () => proxies.stop(),
  };
}
