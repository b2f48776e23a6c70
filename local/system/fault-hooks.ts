import type { FaultPlan } from "../event-sources/fault-plan";
import type { Pace } from "../event-sources/pace";
import type { Servers } from "../servers/start-servers";

/** Points where a fault run injects faults into a running system. */
export interface FaultHooks {
  /**
   * Additional environment variables of the emulator, which functions inherit. With hooks, the emulator keeps
   * its state over a restart.
   */
  emulatorVariables: Readonly<Record<string, string>>;
  /** Called once both servers are up. @returns the port on which functions reach PostgreSQL */
  serversStarted(servers: Servers): Promise<number>;
  /** The faults between a function (by its logical name) and its stream or queue. */
  deliveryFaults(functionName: string): FaultPlan;
  /**
   * Runs after capture has read changes and before it writes their records to the stream. An error ends
   * capture; a new one starts.
   */
  beforePut(): Promise<void>;
  /**
   * Runs after capture has written records to the stream and before it acknowledges them. An error ends
   * capture; a new one starts.
   */
  beforeAcknowledge(): Promise<void>;
  pace: Partial<Pace>;
}
