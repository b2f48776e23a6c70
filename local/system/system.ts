import { loadDomainsFrom, type Registry } from "../../registry/load-domains";
import type { CommandAnswer, CommandRequest } from "../../runtime/command/handler";
import { codedError } from "../../runtime/function/coded-error";
import { type Journal, openJournal } from "../journey/journey";
import { deployProgram } from "../provision/deploy";
import type { Deployment } from "../provision/deployment";
import { emulatorClients, type EmulatorClients } from "../provision/emulator-clients";
import { checkDisk, diskFailure, foldersOfRuns } from "../servers/disk";
import { type Phase, type Report, step } from "../servers/report";
import { type Servers, startServers } from "../servers/start-servers";
import { type BusTap, openBusTap } from "./bus-tap";
import { sendCommand } from "./command-client";
import { type LocalDatabase, prepareDatabase, storeSecrets } from "./database";
import { type EventFlow, startEventFlow } from "./event-flow";
import { type EventsGate, openEventsGate } from "./events-gate";
import type { FaultHooks } from "./fault-hooks";
import { type Topology, topologyOf } from "./topology";
import {
  type DomainSource,
  loadProgram,
  LOCAL_STACK,
  localConfig,
  PROJECT,
  REGISTERED_DOMAINS,
} from "./program";

/** The whole system, running on this machine. */
export interface LocalSystem {
  servers: Servers;
  database: LocalDatabase;
  clients: EmulatorClients;
  deployment: Deployment;
  topology: Topology;
  registry: Registry;
  journal: Journal;
  tap: BusTap;
  gate: EventsGate;
  flow: EventFlow;
  /** Sends a command to a domain's deployed command function. */
  send(domain: string, request: CommandRequest): Promise<CommandAnswer>;
  /** Physical name of a DynamoDB table, by its logical name. */
  physicalTable(logicalName: string): string;
}

/** Options of `startSystem`. */
export interface SystemOptions {
  /** The project's folder. */
  projectRoot: string;
  report: Report;
  /** Collects the duration of each step. */
  phases: Phase[];
  /**
   * @default no faults
   */
  faults?: FaultHooks;
  /**
   * @default the project's own domains
   */
  source?: DomainSource;
}

/**
 * Starts the servers, migrates the database, runs the Pulumi program against the emulator, and starts the
 * stand-ins for change data capture and the event source mappings. The stop stack of `servers` stops
 * everything.
 *
 * @throws DOMAINS_INVALID, DISK_FULL, DISK_NOT_WRITABLE, and the errors of the servers, the migrations and the deployment; everything is
 *   stopped then
 */
export async function startSystem(options: SystemOptions): Promise<LocalSystem> {
  const { projectRoot, report, phases, faults, source = REGISTERED_DOMAINS } = options;
  // First, so that a fault in a domain folder is reported at once.
  const registry = loadDomainsFrom(source.domains);
  const emulator = faults && { persist: true, variables: faults.emulatorVariables };
  const reasonOf = (error: unknown) => diskFailure(error, foldersOfRuns(projectRoot)) ?? error;
  checkDisk(projectRoot);
  const servers = await startServers({ projectRoot, report, phases, ...(emulator && { emulator }) }).catch(
    (error: unknown) => {
      throw reasonOf(error);
    },
  );
  try {
    return await startOn(servers, registry, options);
  } catch (error) {
    // Looked at before stopping makes room again.
    const reason = reasonOf(error);
    await servers.stops.stopAll();
    throw reason;
  }
}

async function startOn(
  servers: Servers,
  registry: Registry,
  { report, phases, faults, source = REGISTERED_DOMAINS }: SystemOptions,
): Promise<LocalSystem> {
  const { emulator, postgres, stops, run } = servers;
  const { endpoint, region } = emulator;
  const database = await step(
    report,
    "Migrating the database",
    () => prepareDatabase(postgres, source.migrations, registry.all),
    phases,
  );
  stops.push("the database's logins", () => database.close());
  const clients = emulatorClients(endpoint, region);
  stops.push("the clients", () => clients.close());
  const secrets = await storeSecrets(clients, database);
  const port = (await faults?.serversStarted(servers)) ?? database.port;
  const config = localConfig({ ...database, port }, secrets);
  const program = () => loadProgram(source);
  // Under faults, functions reach the emulator by way of the faults' proxy.
  const gate = await openEventsGate({
    endpoint: faults?.emulatorVariables["AWS_ENDPOINT_URL"] ?? endpoint,
    namesCallers: faults !== undefined,
  });
  stops.push("the gate to EventBridge", () => gate.stop());
  const functionVariables = (name: string) => gate.variables(name);
  const options = {
    program,
    project: PROJECT,
    stack: LOCAL_STACK,
    config,
    endpoint,
    region,
    functionVariables,
  };
  const deployment = await step(
    report,
    "Running the Pulumi program",
    (said) => deployProgram({ ...options, report: said }),
    phases,
  );
  gate.enforce(deployment);
  const topology = topologyOf(deployment);
  const journal = openJournal();
  const busName = String(deployment.resource("aws:cloudwatch/eventBus:EventBus", "events").state["name"]);
  const tap = await openBusTap(clients, busName);
  stops.push("the bus tap", () => tap.stop());
  const flow = await step(
    report,
    "Starting capture and event sources",
    () => startEventFlow({ servers, deployment, topology, journal, report, faults }),
    phases,
  );
  stops.push("capture and event sources", () => flow.stop());
  const functions = deployment.outputs["commandFunctions"] as Record<string, string>;
  const tables = new Map(
    deployment.byType("aws:dynamodb/table:Table").map(({ name, state }) => [name, String(state["name"])]),
  );
  run.update({
    endpoint,
    region,
    commandFunctions: functions,
    projectionTables: deployment.outputs["projectionTables"],
    queues: deployment.outputs["queues"],
    quarantineQueues: deployment.outputs["quarantineQueues"],
    unclaimedQueue: deployment.outputs["unclaimedQueue"],
    holdsTables: deployment.outputs["holdsTables"],
  });
  return {
    servers,
    database,
    clients,
    deployment,
    topology,
    registry,
    journal,
    tap,
    gate,
    flow,
    send(domain, request) {
      const name = functions[domain];
      if (name) return sendCommand(clients.lambda, name, request);
      throw codedError(
        "DOMAIN_UNKNOWN",
        `There is no domain "${domain}"; there are: ${Object.keys(functions).join(", ") || "none"}.`,
      );
    },
    physicalTable: (logicalName) => tables.get(logicalName) ?? logicalName,
  };
}
