import { Session } from "node:inspector/promises";
import * as parser from "@pulumi/pulumi/runtime/closure/parseFunction";
import * as inspection from "@pulumi/pulumi/runtime/closure/v8";

type Callable = (...args: never[]) => unknown;

/**
 * The variables of the scopes that enclose a function, innermost first; undefined where the inspector does not
 * find them.
 */
type Scopes = Record<string, unknown>[] | undefined;

/** What of two modules of Pulumi's serializer is used here; their published types leave it out. */
interface Parser {
  parseFunction(text: string): unknown;
}
interface Inspection {
  getFunctionLocationAsync(func: Callable): Promise<unknown>;
  lookupCapturedVariableValueAsync(func: Callable, name: string, throwOnFailure: boolean): Promise<unknown>;
}

const parsed = new Map<string, unknown>();
const locations = new Map<Callable, Promise<unknown>>();
const scopes = new Map<Callable, Promise<Scopes>>();
let running = 0;
let installed = false;

/**
 * Runs a serialization by Pulumi that shares what it finds out about functions with those that run at the same
 * time. Handlers have most of their functions in common, but Pulumi parses each function again for each handler,
 * and asks V8's inspector three times for each captured variable: without sharing, serializing takes twice as
 * long. The memory is emptied when no serialization runs any more, so a later one sees the values of its own time.
 */
export async function withSharedMemory<T>(serialize: () => Promise<T>): Promise<T> {
  install();
  running += 1;
  try {
    return await serialize();
  } finally {
    running -= 1;
    if (running === 0) for (const memory of [parsed, locations, scopes]) memory.clear();
  }
}

/**
 * Puts the memory in front of Pulumi's own functions. Where a version of Pulumi does not have them, it only is
 * slower.
 */
function install(): void {
  const pulumi = { ...parser, ...inspection } as unknown as Partial<Parser & Inspection>;
  const { parseFunction, getFunctionLocationAsync, lookupCapturedVariableValueAsync } = pulumi;
  if (installed || !parseFunction || !getFunctionLocationAsync || !lookupCapturedVariableValueAsync) return;
  installed = true;
  const quickParser: Parser = {
    parseFunction: (text) => remembered(parsed, text, () => parseFunction(text)),
  };
  const quickInspection: Inspection = {
    getFunctionLocationAsync: (func) => remembered(locations, func, () => getFunctionLocationAsync(func)),
    async lookupCapturedVariableValueAsync(func, name, throwOnFailure) {
      const found = await remembered(scopes, func, () => scopesOf(func));
      const scope = found?.find((variables) => name in variables);
      return scope ? scope[name] : lookupCapturedVariableValueAsync(func, name, throwOnFailure);
    },
  };
  Object.assign(parser, quickParser);
  Object.assign(inspection, quickInspection);
}

function remembered<Key, Value>(memory: Map<Key, Value>, key: Key, find: () => Value): Value {
  if (running === 0) return find();
  const known = memory.get(key);
  if (known !== undefined) return known;
  const found = find();
  memory.set(key, found);
  return found;
}

/**
 * By this global object a function is handed to the inspector, which takes text only, and its scopes come back.
 * It has no name, but a symbol: Pulumi takes a function that it finds under a name of the global object for one
 * that exists in Lambda too, and writes that name in place of the function.
 */
const exchange: Record<string, unknown> = {};
const KEY = "domain-consistency.exchange";
const EXCHANGE = `globalThis[Symbol.for("${KEY}")]`;
let session: Session | undefined;
let handedOver = 0;

async function scopesOf(func: Callable): Promise<Scopes> {
  const slot = `slot${handedOver++}`;
  try {
    exchange[slot] = func;
    const inspector = connected();
    const { result } = await inspector.post("Runtime.evaluate", { expression: `${EXCHANGE}.${slot}` });
    const { objectId = "" } = result;
    const { internalProperties = [] } = await inspector.post("Runtime.getProperties", { objectId });
    const list = internalProperties.find(({ name }) => name === "[[Scopes]]")?.value?.objectId ?? "";
    const functionDeclaration = `function () { ${EXCHANGE}.${slot} = this; }`;
    await inspector.post("Runtime.callFunctionOn", { objectId: list, functionDeclaration });
    // Like an array, but without its methods.
    const scopes = exchange[slot] as {
      length: number;
      [index: number]: { object?: Record<string, unknown> };
    };
    return Array.from(scopes).flatMap(({ object }) => (object ? [object] : []));
  } catch {
    // Pulumi's own way remains, and its own errors.
    return undefined;
  } finally {
    delete exchange[slot];
  }
}

function connected(): Session {
  if (!session) {
    session = new Session();
    session.connect();
    Object.defineProperty(globalThis, Symbol.for(KEY), { value: exchange });
  }
  return session;
}
