import { emulatorClients, type EmulatorClients } from "../../../local/provision/emulator-clients";
import type { Servers } from "../../../local/servers/start-servers";
import type { FaultHooks } from "../../../local/system/fault-hooks";
import { codedError } from "../../../runtime/function/coded-error";
import { type AwsProxyOptions, startAwsProxy } from "./aws-proxy";
import { type PostgresProxy, type PostgresProxyOptions, startPostgresProxy } from "./postgres-proxy";

/** The proxies between all functions and their servers. */
export interface FunctionProxies {
  hooks: Pick<FaultHooks, "emulatorVariables" | "serversStarted">;
  /**
   * Clients of the emulator, not of the proxy; they sign as root.
   *
   * @throws SERVERS_NOT_STARTED
   */
  clients(): EmulatorClients;
  stop(): Promise<void>;
}

/** The decisions of the proxies. */
export interface FunctionProxiesOptions {
  /** Determines the clock skew of each function. */
  seed: number;
  decideCall: AwsProxyOptions["decide"];
  decideStatement: PostgresProxyOptions["decide"];
}

/**
 * Opens the proxies. The AWS proxy listens before the servers start, because the emulator passes its address
 * to functions.
 */
export async function openFunctionProxies(options: FunctionProxiesOptions): Promise<FunctionProxies> {
  const { seed, decideCall, decideStatement } = options;
  let servers: Servers | undefined;
  let clients: EmulatorClients | undefined;
  let postgres: PostgresProxy | undefined;
  const started = (): Servers => {
    if (servers) return servers;
    throw codedError("SERVERS_NOT_STARTED", "A function was called before the servers were up.");
  };
  const aws = await startAwsProxy({
    target: () => ({ host: "127.0.0.1", port: started().emulator.port }),
    decide: decideCall,
  });
  return {
    hooks: {
      emulatorVariables: {
        AWS_ENDPOINT_URL: aws.endpoint,
        NODE_OPTIONS: `--require "${require.resolve("./function-preload")}"`,
        FAULT_SEED: String(seed),
      },
      async serversStarted(up) {
        servers = up;
        const { host, port } = up.postgres;
        postgres = await startPostgresProxy({ host, port, decide: decideStatement });
        return postgres.port;
      },
    },
    clients() {
      const { endpoint, region } = started().emulator;
      return (clients ??= emulatorClients(endpoint, region));
    },
    async stop() {
      clients?.close();
      await postgres?.stop();
      await aws.stop();
    },
  };
}
