import * as pulumi from "@pulumi/pulumi";
import { codedError, errorCode } from "../../runtime/function/coded-error";
import { deploymentOf, type DeployedResource, type Deployment, type LocalDifference } from "./deployment";
import type { EmulatorClients } from "./emulator-clients";
import {
  holdsSecret,
  holdsUnknown,
  mapValues,
  plainValue,
  printableValue,
  secretValue,
} from "./property-values";
import type { WireValue } from "./property-values";
import {
  checkNameLength,
  type DeclaredResource,
  generatedName,
  type IdentifiedResource,
  type ResourceKind,
  type Scope,
} from "./resource-kind";
import { RESOURCE_KINDS } from "./resource-kinds";
import type { Registration } from "./program-monitor";
import type { FinishedProgram } from "./run-program";

/** Creates and records what a program registers. */
export interface Provisioner {
  register(registration: Registration): Promise<{ id: string; state: Record<string, WireValue> }>;
  /** The deployment, once the program has finished. */
  deployment(finished: FinishedProgram): Deployment;
}

/** Where and how resources are made. */
export interface Provisioning {
  scope: Scope;
  /** Absent in a dry run. */
  clients?: EmulatorClients;
  /** Leave computed outputs unknown, as in a first `pulumi preview`. */
  unknownOutputs?: boolean;
}

/** A provisioner for one run of the program. */
export function provisioner(provisioning: Provisioning): Provisioner {
  const resources: DeployedResource[] = [];
  const declared: { registration: Registration; kind: ResourceKind }[] = [];
  return {
    register: async (registration) => {
      if (!registration.custom) {
        resources.push(recordOf(registration, { id: "", state: {} }));
        return { id: "", state: registration.inputs };
      }
      const kind = RESOURCE_KINDS.get(registration.type);
      if (!kind) throw typeUnknown(registration);
      declared.push({ registration, kind });
      const { record, answer } = await provision(registration, kind, provisioning);
      resources.push(record);
      return answer;
    },
    deployment: ({ stackOutputs, componentOutputs, positionOf }) => {
      const inOrder = resources.toSorted((one, other) => positionOf(one) - positionOf(other));
      for (const resource of inOrder) {
        const outputs = componentOutputs.get(resource.urn);
        if (outputs) resource.state = mapValues(outputs, printableValue);
      }
      const differences: LocalDifference[] = localDifferences(
        declared.toSorted((one, other) => positionOf(one.registration) - positionOf(other.registration)),
      );
      return deploymentOf(mapValues(stackOutputs, printableValue), inOrder, differences);
    },
  };
}

async function provision(registration: Registration, kind: ResourceKind, provisioning: Provisioning) {
  const { scope, clients, unknownOutputs } = provisioning;
  const wire = withName(registration, kind, scope);
  checkRegion(registration, scope);
  const { code, ...wireState } = wire;
  const resource: DeclaredResource = {
    project: scope.project,
    stack: scope.stack,
    type: registration.type,
    name: registration.name,
    inputs: mapValues(wire, plainValue),
    physicalName: String(plainValue(wire[kind.naming?.input ?? ""]) ?? registration.name),
  };
  const made = await naming(resource, clients !== undefined, async () => {
    if (unknownOutputs) return unknownResource(code, scope);
    const identified = await kind.identify(resource, scope);
    const found = clients && (await kind.create?.(resource, identified, clients));
    return { ...identified, outputs: { ...identified.outputs, ...found } };
  });
  const { id = made.id, ...outputs } = made.outputs;
  const state = { ...made.defaults, ...wireState, ...withSecrets(outputs, wireState) };
  const record = recordOf({ ...registration, inputs: wire }, { id: String(id), state });
  if (kind.replacement) record.replacement = kind.replacement;
  if (made.package) record.packageBytes = made.package.length;
  return { record, answer: { id: String(id), state } };
}

/** A resource of which only the inputs are known. */
async function unknownResource(code: WireValue, scope: Scope): Promise<IdentifiedResource> {
  const unknown = { id: "", outputs: {} };
  return code === undefined || holdsUnknown(code) ? unknown : { ...unknown, package: await scope.zip(code) };
}

/** The inputs with the physical name that Pulumi would generate where the program gives none. */
function withName(
  { type, name, inputs }: Registration,
  { naming }: ResourceKind,
  scope: Scope,
): Record<string, WireValue> {
  if (!naming) return inputs;
  const identity = { project: scope.project, stack: scope.stack, type, name };
  const given = plainValue(inputs[naming.input]);
  const physicalName = given ?? generatedName(identity, naming.ending?.(mapValues(inputs, plainValue)));
  if (typeof physicalName === "string" && physicalName !== pulumi.runtime.unknownValue) {
    checkNameLength(physicalName, naming.limit, identity);
  }
  return given === undefined ? { ...inputs, [naming.input]: physicalName } : inputs;
}

function checkRegion({ type, name, inputs }: Registration, { region }: Scope): void {
  const declared = plainValue(inputs["region"]);
  if (declared === undefined || declared === region || declared === pulumi.runtime.unknownValue) return;
  throw codedError(
    "RESOURCE_IN_OTHER_REGION",
    `The program declares ${type} "${name}" in region "${String(declared)}", and a local run is in "${region}" alone. ` +
      "Set aws:region, or leave the resource's region out.",
  );
}

/** Computed outputs without those that are absent; one that repeats a secret input stays secret. */
function withSecrets(
  outputs: Record<string, unknown>,
  wire: Record<string, WireValue>,
): Record<string, WireValue> {
  const answered: Record<string, WireValue> = {};
  for (const [key, value] of Object.entries(outputs)) {
    if (value !== undefined) answered[key] = holdsSecret(wire[key]) ? secretValue(value) : value;
  }
  return answered;
}

function recordOf(
  { type, name, urn, parent, inputs }: Registration,
  { id, state }: { id: string; state: Record<string, WireValue> },
): DeployedResource {
  return {
    type,
    name,
    urn,
    ...(parent !== undefined && { parent }),
    id: id === pulumi.runtime.unknownValue ? "" : id,
    inputs: mapValues(inputs, printableValue),
    state: mapValues(state, printableValue),
  };
}

/** Names the resource in whatever goes wrong with it. */
async function naming(
  { type, name }: DeclaredResource,
  onEmulator: boolean,
  make: () => Promise<IdentifiedResource>,
): Promise<IdentifiedResource> {
  try {
    return await make();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const code = errorCode(cause) ?? "";
    const own = cause instanceof Error && cause.name === "CodedError";
    const where = onEmulator ? " on the emulator" : "";
    const what = `Could not create ${type} "${name}"${where}: `;
    const remedy = /already|InUse|QueueNameExists/i.test(`${code} ${message}`)
      ? " The emulator still holds an earlier run: reset it (POST /_ministack/reset) or start a fresh one."
      : "";
    throw codedError(
      own ? code : "PROVISION_FAILED",
      what + (own ? message : `${code} ${message}`.trim()) + remedy,
      {
        cause,
      },
    );
  }
}

function typeUnknown({ type, name }: Registration): Error {
  return codedError(
    "RESOURCE_TYPE_UNKNOWN",
    `The program declares ${type} "${name}", and this machine has nothing to create it with. Add its kind under ` +
      "local/provision/resources and list it in local/provision/resource-kinds.ts; a kind without `create` is only " +
      "recorded.",
  );
}

const UNKNOWN_EFFECT = "the provisioner does not pass it on.";
/** Inputs that resources of any kind may have and that are used, or have no effect, whatever the kind. */
const ANYWHERE = ["region", "tags", "tagsAll"];

/** What a local run does differently from AWS with the declared resources, one entry for each type and input. */
function localDifferences(declared: { registration: Registration; kind: ResourceKind }[]): LocalDifference[] {
  const differences = new Map<string, LocalDifference>();
  const add = (type: string, name: string, reason: string, input?: string) => {
    const key = `${type} ${input ?? ""}`;
    const known = differences.get(key);
    if (known) known.resources.push(name);
    else differences.set(key, { type, reason, resources: [name], ...(input !== undefined && { input }) });
  };
  for (const { registration, kind } of declared) {
    const { type, name, inputs } = registration;
    const whole = kind.replacement ?? kind.caveat;
    if (whole !== undefined) add(type, name, whole);
    for (const input of Object.keys(inputs)) {
      const reason = kind.ineffective?.[input];
      const known =
        input === kind.naming?.input || ANYWHERE.includes(input) || kind.effective?.includes(input);
      if (reason !== undefined) add(type, name, reason, input);
      else if (kind.effective && !known) add(type, name, UNKNOWN_EFFECT, input);
    }
  }
  return [...differences.values()];
}
