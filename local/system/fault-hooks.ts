import type { FaultPlan } from "../event-sources/fault-plan";
import type { Pace } from "../event-sources/pace";
import type { Servers } from "../servers/start-servers";

/** Where faults can be brought into a running system; without them it runs as it is. */
export interface FaultHooks {
  /** The emulator's further environment, which functions inherit. It keeps its state over a restart. */
  emulatorVariables: Readonly<Record<string, string>>;
  /** Called once both servers are up. @returns the port by which functions reach PostgreSQL */
  serversStarted(servers: Servers): Promise<number>;
  /** The faults between a function, named logically, and its stream or queue. */
  deliveryFaults(functionName: string): FaultPlan;
  /** Runs when capture has read changes, before their records are on the stream; what it throws ends that capture, and another begins. */
  beforePut(): Promise<void>;
  /** Runs when records are on the stream, before the slot is told; what it throws ends that capture, and another one begins. */
  beforeAcknowledge(): Promise<void>;
  pace: Partial<Pace>;
}
