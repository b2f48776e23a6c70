import * as pulumi from "@pulumi/pulumi";
import { providerState } from "./provider-state";
import { inNamespace, PROJECT, REGION, REQUIRED_CONFIG, STACK } from "./stack-config";

/** A declared resource or component. */
export interface Declared {
  type: string;
  /** Logical name. */
  name: string;
  urn: string;
  /** URN of its component, or else of the stack. */
  parent: string;
  /** False for components. */
  custom: boolean;
  /** URNs of the resources that it depends on. */
  dependencies: string[];
  /** Resolved inputs; in a preview without unknown values. */
  inputs: Record<string, unknown>;
  /** The inputs as sent to the engine, with Pulumi's marks for secrets and unknown values. */
  wire: string;
}

/** Everything that a program declared. */
export interface Deployment {
  /** In order of URN. */
  declared: readonly Declared[];
  /** The stack's resolved outputs; empty in a preview, where most are unknown. */
  outputs: Record<string, unknown>;
  /** All resources of one type, e.g. "aws:sqs/queue:Queue". */
  ofType(type: string): Declared[];
  /** The resource with this type and logical name. @throws when there is none */
  one(type: string, name: string): Declared;
  /** The direct children of a component, as "type name". */
  childrenOf(component: Declared): string[];
}

/** How to run a program. */
export interface DeployOptions {
  /** Leaves computed outputs unknown, as `pulumi preview` does before the first `pulumi up`. */
  preview?: boolean;
  /** The stack's configuration. @default the required settings */
  config?: Record<string, string>;
  /** @default "domain-consistency" */
  project?: string;
  /** @default "dev" */
  stack?: string;
}

/**
 * Runs a program, or one component, against Pulumi's mocks, and waits until everything is declared. May be
 * called several times in a process, one after the other; each run starts empty.
 *
 * @returns what was declared
 * @throws the first error of the program, including errors inside an `apply`
 */
export async function deploy(program: () => unknown, options: DeployOptions = {}): Promise<Deployment> {
  const { preview = false, config = REQUIRED_CONFIG, project = PROJECT, stack = STACK } = options;
  const declared: Declared[] = [];
  const failure = firstFailure();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, custom }) => {
        const state = inputs as Record<string, unknown>;
        if (!custom || preview) return { id: "", state };
        const { id, outputs } = providerState(type, name, state);
        return { id, state: { ...state, ...outputs } };
      },
      call: ({ token }) => {
        if (token === "aws:index/getRegion:getRegion") return { region: REGION, name: REGION };
        throw new Error(`The program calls "${token}", which the mocks do not answer. Add it to mocks.ts.`);
      },
    },
    project,
    stack,
    preview,
  );
  noteRegistrations(declared);
  pulumi.runtime.setAllConfig(inNamespace(config, project));
  try {
    const outputs = await Promise.race([run(program), failure.happened]);
    declared.sort((one, other) => (one.urn < other.urn ? -1 : 1));
    return deployment(declared, preview ? {} : await resolved(outputs));
  } finally {
    failure.stop();
  }
}

/** The text of a function's index.js. */
export async function packageOf(lambda: Declared): Promise<string> {
  const archive = (await lambda.inputs.code) as pulumi.asset.AssetArchive;
  const files = await archive.assets;
  const names = Object.keys(files);
  if (names.join() !== "index.js")
    throw new Error(`The package of "${lambda.name}" has the files ${names.join()}`);
  return await (files["index.js"] as pulumi.asset.StringAsset).text;
}

/** Parses a JSON input, e.g. a policy. */
export function json(value: unknown): unknown {
  return JSON.parse(String(value));
}

async function run(program: () => unknown): Promise<unknown> {
  const outputs = await pulumi.runtime.runInPulumiStack(async () => (await program()) ?? {});
  // Exists at run time but not in the types. It also waits for resources that are declared inside `apply`.
  await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
  return outputs;
}

async function resolved(outputs: unknown): Promise<Record<string, unknown>> {
  return new Promise((resolve) => pulumi.output(outputs as pulumi.Inputs).apply(resolve));
}

/** The parts of a registration that Pulumi's mocks do not pass on. Its requests are protobuf messages. */
interface Registration {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getDependenciesList(): string[];
  getObject(): Struct | undefined;
}
type Struct = Parameters<typeof pulumi.runtime.deserializeProperties>[0];
interface Monitor {
  newUrn(parent: string, type: string, name: string): string;
  registerResource(request: Registration, callback: unknown): Promise<void>;
}

function noteRegistrations(declared: Declared[]): void {
  // `setMocks` has just installed Pulumi's mock monitor, which has these methods.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    const [type, name, parent] = [request.getType(), request.getName(), request.getParent()];
    const object = request.getObject();
    declared.push({
      type,
      name,
      parent,
      urn: monitor.newUrn(parent, type, name),
      custom: request.getCustom(),
      dependencies: request.getDependenciesList(),
      inputs: object ? (pulumi.runtime.deserializeProperties(object) as Record<string, unknown>) : {},
      wire: JSON.stringify(object?.toJavaScript() ?? {}),
    });
    return register(request, callback);
  };
}

function deployment(declared: Declared[], outputs: Record<string, unknown>): Deployment {
  const ofType = (type: string) => declared.filter((resource) => resource.type === type);
  return {
    declared,
    outputs,
    ofType,
    one(type, name) {
      const found = ofType(type).find((resource) => resource.name === name);
      if (found) return found;
      const names = ofType(type).map((resource) => resource.name);
      throw new Error(`There is no ${type} "${name}"; there are ${names.join(", ") || "none"}.`);
    },
    childrenOf: ({ urn }) =>
      declared
        .filter(({ parent }) => parent === urn)
        .map(({ type, name }) => `${type} ${name}`)
        .sort(),
  };
}

/**
 * Errors inside an `apply` appear only as unhandled rejections, and anything that waits for their output
 * waits forever.
 */
function firstFailure(): { happened: Promise<never>; stop: () => void } {
  let stop = () => {};
  const happened = new Promise<never>((_, reject) => {
    process.on("unhandledRejection", reject);
    stop = () => process.off("unhandledRejection", reject);
  });
  return { happened, stop };
}
