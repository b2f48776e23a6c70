import { AsyncLocalStorage } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";
import { codedError } from "../../runtime/function/coded-error";
import type { ProgramFailures } from "./program-failures";
import type { WireValue } from "./property-values";

/** A resource or component as the program registers it, its inputs resolved. */
export interface Registration {
  type: string;
  name: string;
  urn: string;
  /** URN of the component it belongs to; absent at the top level. */
  parent?: string;
  /** False for components. */
  custom: boolean;
  inputs: Record<string, WireValue>;
}

/** What Pulumi does not pass on to its mocks. */
export interface ProgramMonitor {
  /** The registration that the mocks are being asked about, with its parent and with secrets where they are. */
  registering(): Registration | undefined;
  /** Registered outputs of components and of the stack, by URN. */
  componentOutputs: ReadonlyMap<string, Record<string, WireValue>>;
  stackOutputs(): Record<string, WireValue>;
}

/** Pulumi type token of the stack itself, the parent of every resource that declares none. */
export const STACK_TYPE = "pulumi:pulumi:Stack";

/** What of Pulumi's mock monitor is used here; its requests are protobuf messages. */
interface Monitor {
  registerResource(request: RegisterRequest, callback: unknown): Promise<void>;
  registerResourceOutputs(request: OutputsRequest, callback: unknown): void;
  newUrn(parent: string, type: string, name: string): string;
}
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getObject(): Struct | undefined;
}
interface OutputsRequest {
  getUrn(): string;
  getOutputs(): Struct | undefined;
}
interface Struct {
  toJavaScript(): Record<string, WireValue>;
}

/** Intercepts the calls to Pulumi's mock monitor, which `setMocks` has just installed. */
export function interceptMonitor(failures: ProgramFailures): ProgramMonitor {
  // The mock monitor has these methods; the types know the engine's only.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const registerResource = monitor.registerResource.bind(monitor);
  const registerResourceOutputs = monitor.registerResourceOutputs.bind(monitor);
  const registrations = new AsyncLocalStorage<Registration>();
  const componentOutputs = new Map<string, Record<string, WireValue>>();
  const urns = new Set<string>();
  let stackUrn = "";

  monitor.registerResource = async (request, callback) => {
    const [type, name, parent] = [request.getType(), request.getName(), request.getParent()];
    const urn = monitor.newUrn(parent, type, name);
    const inputs = request.getObject()?.toJavaScript() ?? {};
    if (type === STACK_TYPE) stackUrn = urn;
    if (urns.has(urn)) failures.fail(declaredTwice(type, name), "complete");
    urns.add(urn);
    const registration: Registration = { type, name, urn, custom: request.getCustom(), inputs };
    if (parent && parent !== stackUrn) registration.parent = parent;
    await registrations.run(registration, () => registerResource(request, callback));
  };
  monitor.registerResourceOutputs = (request, callback) => {
    componentOutputs.set(request.getUrn(), request.getOutputs()?.toJavaScript() ?? {});
    registerResourceOutputs(request, callback);
  };
  return {
    registering: () => registrations.getStore(),
    componentOutputs,
    stackOutputs: () => componentOutputs.get(stackUrn) ?? {},
  };
}

function declaredTwice(type: string, name: string): Error {
  return codedError(
    "RESOURCE_DECLARED_TWICE",
    `The program declares ${type} "${name}" twice, which Pulumi refuses. Prefix the name with that of its component.`,
  );
}
