import type { Resource } from "@pulumi/pulumi";
import { codedError } from "../../runtime/function/coded-error";

/** Collects what goes wrong while the program runs, and makes one error of it. */
export interface ProgramFailures {
  /** Rejects at the first failure; never resolves. */
  first: Promise<never>;
  /** Whether anything has failed. */
  any(): boolean;
  /** Notes a failure; `complete` if its message already names the resource. */
  fail(error: unknown, complete?: "complete"): void;
  /** Watches a resource that the program constructs, so that a failure of its inputs can name it. */
  watch(resource: Resource, type: string, name: string): void;
  /** The one error to reject with. */
  describe(): Error;
  /** Hands unhandled rejections back to the previous listeners. */
  stop(): void;
}

interface Failure {
  error: unknown;
  complete: boolean;
}

interface FailedResource {
  type: string;
  name: string;
  error: unknown;
}

/**
 * Pulumi prefixes the message of an input's error once for the resource and once more for each resource behind it.
 */
const INPUT_PREFIX = /^error serializing property "([^"]+)": /;

/**
 * Takes over unhandled rejections until `stop`: what the program throws inside an `apply` or while a function is
 * serialized shows nowhere else, and Pulumi repeats it for every output that depends on it.
 */
export function watchProgramFailures(): ProgramFailures {
  const failures: Failure[] = [];
  const failedResources: FailedResource[] = [];
  let reject: (error: unknown) => void = () => undefined;
  const first = new Promise<never>((_resolve, rejectFirst) => (reject = rejectFirst));
  // Whoever races against it may have lost interest by the time it rejects.
  first.catch(() => undefined);

  const fail = (error: unknown, complete?: "complete") => {
    failures.push({ error, complete: complete !== undefined });
    reject(error);
  };
  const onUnhandledRejection = (error: unknown) => fail(error);
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", onUnhandledRejection);

  return {
    first,
    any: () => failures.length > 0,
    fail,
    watch: (resource, type, name) => {
      // The resource gets its URN only after its constructor has reported it here.
      queueMicrotask(() => {
        urnOf(resource)?.then(undefined, (error) => failedResources.push({ type, name, error }));
      });
    },
    describe: () => describeFailure(failures[0], failedResources),
    stop: () => {
      process.off("unhandledRejection", onUnhandledRejection);
      for (const listener of others) process.on("unhandledRejection", listener);
    },
  };
}

function describeFailure(failure: Failure | undefined, failedResources: FailedResource[]): Error {
  const cause = failure?.error;
  if (failure?.complete && cause instanceof Error) return cause;
  // The resources behind it fail with the same error, and later.
  const origin = failedResources.find(({ error }) => error === cause);
  let message = cause instanceof Error ? cause.message : String(cause);
  let input: string | undefined;
  for (let match = INPUT_PREFIX.exec(message); match; match = INPUT_PREFIX.exec(message)) {
    input = match[1];
    message = message.slice(match[0].length);
  }
  if (!origin) return codedError("PROGRAM_FAILED", `The program failed: ${message}`, { cause });
  const { type, name } = origin;
  const what = input === undefined ? `${type} "${name}"` : `input "${input}" of ${type} "${name}"`;
  return codedError("RESOURCE_INPUT_FAILED", `Could not work out ${what}: ${message}`, { cause });
}

/** The promise of a resource's URN. An output's `promise` exists at run time and is left out of the types. */
function urnOf(resource: Resource): Promise<string> | undefined {
  const { urn } = resource as { urn?: { promise?: () => Promise<string> } };
  return urn?.promise?.();
}
