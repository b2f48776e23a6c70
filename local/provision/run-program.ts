import { setImmediate, setTimeout } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { codedError } from "../../runtime/function/coded-error";
import { watchProgramFailures, type ProgramFailures } from "./program-failures";
import { interceptMonitor, STACK_TYPE, type Registration } from "./program-monitor";
import type { WireValue } from "./property-values";

const LONGEST_DRAIN_MILLISECONDS = 2000;

/** How to run a Pulumi program. */
export interface ProgramRun {
  /** Loads the program, e.g. `() => require("../index.js")`. */
  program: () => unknown;
  project: string;
  stack: string;
  /** Keys without a namespace belong to the project, as for `pulumi config set`. */
  config: Record<string, string>;
  preview: boolean;
  /** Answers a registration with the id and the state that the program's outputs are made of. */
  register(registration: Registration): Promise<{ id: string; state: Record<string, WireValue> }>;
  /** Answers a provider function. */
  call(call: pulumi.runtime.MockCallArgs): Record<string, unknown>;
}

/** What is known once the program has finished. */
export interface FinishedProgram {
  stackOutputs: Record<string, WireValue>;
  /** Registered outputs of components, by URN. */
  componentOutputs: ReadonlyMap<string, Record<string, WireValue>>;
  /** The position at which the program declares a resource. */
  positionOf(resource: { type: string; name: string }): number;
}

let running = false;

/**
 * Runs a Pulumi program in this process, its resources answered by `register` instead of the Pulumi engine.
 * Resolves once every resource is registered, those made inside an `apply` included.
 *
 * Pulumi's mocks belong to the process: one run at a time, and a module that was loaded before does not run again.
 * During the run every unhandled rejection of the process counts as the program's.
 *
 * @throws `PROGRAM_ALREADY_RUNNING`, `PROGRAM_FAILED`, `RESOURCE_INPUT_FAILED`, `RESOURCE_DECLARED_TWICE`,
 *   `RESOURCE_READ_UNSUPPORTED`, or what `register` rejects with: once, for the first failure.
 */
export async function runProgram(run: ProgramRun): Promise<FinishedProgram> {
  if (running) {
    throw codedError(
      "PROGRAM_ALREADY_RUNNING",
      "A Pulumi program is running in this process already, and Pulumi's mocks allow one at a time. Wait for it to end.",
    );
  }
  running = true;
  const failures = watchProgramFailures();
  const inFlight = new Set<Promise<unknown>>();
  try {
    return await runUntilRegistered(run, failures, inFlight);
  } catch (error) {
    if (!failures.any()) failures.fail(error);
    await settle(inFlight);
    throw failures.describe();
  } finally {
    failures.stop();
    running = false;
  }
}

async function runUntilRegistered(
  run: ProgramRun,
  failures: ProgramFailures,
  inFlight: Set<Promise<unknown>>,
): Promise<FinishedProgram> {
  const positions = new Map<string, number>();
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name }) => {
        const registration = monitor.registering();
        if (type === STACK_TYPE) return { id: "", state: {} };
        try {
          if (!registration) throw readUnsupported(type, name);
          // The deployment is lost: nothing more is created.
          if (failures.any()) throw new Error("The deployment has failed.");
          const answer = run.register(registration);
          inFlight.add(answer);
          return await answer.finally(() => inFlight.delete(answer));
        } catch (error) {
          failures.fail(error, "complete");
          throw error;
        }
      },
      call: (call) => {
        try {
          return run.call(call);
        } catch (error) {
          // Pulumi would pass it on without its message.
          failures.fail(error, "complete");
          throw error;
        }
      },
    },
    run.project,
    run.stack,
    run.preview,
    // What a stack without an organization reads on the command line.
    "organization",
  );
  const monitor = interceptMonitor(failures);
  pulumi.runtime.setAllConfig(namespacedConfig(run));

  const finished = pulumi.runtime
    .runInPulumiStack(async () => {
      pulumi.runtime.registerStackTransformation(({ resource, type, name }) => {
        if (!positions.has(keyOf({ type, name }))) positions.set(keyOf({ type, name }), positions.size);
        failures.watch(resource, type, name);
        return undefined;
      });
      return await exportsOf(run.program);
    })
    .then(waitForRegistrations);
  await Promise.race([finished, failures.first]);
  // A throw in an apply that nothing depends on shows only once the event loop has turned.
  await setImmediate();
  if (failures.any()) await failures.first;

  return {
    stackOutputs: monitor.stackOutputs(),
    componentOutputs: monitor.componentOutputs,
    positionOf: (resource) => positions.get(keyOf(resource)) ?? positions.size,
  };
}

/** Waits until what has begun has ended, so that nothing is created and no error surfaces after the rejection. */
async function settle(inFlight: ReadonlySet<Promise<unknown>>): Promise<void> {
  await Promise.allSettled(inFlight);
  const ended = new AbortController();
  await Promise.race([
    waitForRegistrations().catch(() => undefined),
    setTimeout(LONGEST_DRAIN_MILLISECONDS, undefined, ended).catch(() => undefined),
  ]);
  ended.abort();
  await setImmediate();
  await setImmediate();
  // Forgets promises that never settle; otherwise Pulumi reports them when the process exits.
  pulumi.runtime.resetOptions("", "", -1, "", "", false, "");
}

/** Loads a program as the Pulumi CLI does: if its module exports a function, it is called. */
async function exportsOf(program: () => unknown): Promise<pulumi.Inputs> {
  const loaded = await program();
  return ((typeof loaded === "function" ? await loaded() : loaded) ?? {}) as pulumi.Inputs;
}

/**
 * Waits for all registrations. Pulumi's own programs end with it; it exists at run time and is left out of the
 * types.
 */
async function waitForRegistrations(): Promise<void> {
  await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
}

function namespacedConfig({ project, config }: ProgramRun): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.includes(":") ? key : `${project}:${key}`, value]),
  );
}

function keyOf({ type, name }: { type: string; name: string }): string {
  return `${type}\n${name}`;
}

function readUnsupported(type: string, name: string): Error {
  return codedError(
    "RESOURCE_READ_UNSUPPORTED",
    `The program reads an existing ${type} as "${name}", and there is none on this machine. Declare it, or take what you ` +
      "need of it from the stack's configuration.",
  );
}
