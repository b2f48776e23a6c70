import type { FaultHooks } from "../system/fault-hooks";
import { codedError } from "../../runtime/coded-error";
import { emulatorClients, type EmulatorClients } from "../provision/emulator-clients";
import type { Servers } from "../servers/start-servers";
import { callFaults } from "./call-faults";
import { deliveryFaults } from "./delivery-faults";
import type { FaultSchedule } from "./fault-schedule";
import { startAwsProxy } from "./proxies/aws-proxy";
import { startPostgresProxy } from "./proxies/postgres-proxy";
import { statementFaults } from "./statement-faults";

/** Everything through which faults get into a system. */
export interface Harness {
  hooks: FaultHooks;
  stop(): Promise<void>;
}

/** Shorter than on AWS (six times the function's timeout), so that what a killed function had in hand comes again soon. */
const VISIBILITY_TIMEOUT_SECONDS = 4;
/** Soon after a server is up again. */
const PROBLEM_MILLISECONDS = 300;

/** Opens the harness; the proxies listen before the servers start. */
export async function openHarness(schedule: FaultSchedule, seed: number): Promise<Harness> {
  let servers: Servers | undefined;
  let clients: EmulatorClients | undefined;
  const started = (): Servers => {
    if (servers) return servers;
    throw codedError("SERVERS_NOT_STARTED", "A function was called before the servers were up.");
  };
  const aws = await startAwsProxy({
    target: () => ({ host: "127.0.0.1", port: started().emulator.port }),
    decide: callFaults(schedule, () => {
      const { endpoint, region } = started().emulator;
      clients ??= emulatorClients(endpoint, region);
      return clients.events;
    }),
  });
  let postgres: Awaited<ReturnType<typeof startPostgresProxy>> | undefined;
  return {
    hooks: {
      emulatorVariables: {
        AWS_ENDPOINT_URL: aws.endpoint,
        NODE_OPTIONS: `--require "${require.resolve("./proxies/function-preload")}"`,
        FAULT_SEED: String(seed),
      },
      async serversStarted(up) {
        servers = up;
        const { host, port } = up.postgres;
        postgres = await startPostgresProxy({ host, port, decide: statementFaults(schedule) });
        return postgres.port;
      },
      deliveryFaults: (functionName) => deliveryFaults(schedule, functionName),
      beforeAcknowledge() {
        const strikes = schedule.draw("capture", ["capture restarted"]);
        if (!strikes) return Promise.resolve();
        return Promise.reject(codedError("FAULT_INJECTED", "Capture was crashed on purpose."));
      },
      pace: {
        visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
        problemMilliseconds: PROBLEM_MILLISECONDS,
      },
    },
    async stop() {
      clients?.close();
      await postgres?.stop();
      await aws.stop();
    },
  };
}
