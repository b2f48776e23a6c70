import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { AnyDomain, MicroserviceDomain, MonolithModule } from "../runtime/define/domain";
import { codedError } from "../runtime/function/coded-error";
import { describeFault, type Fault } from "./fault";
import { eventTypesOf } from "./listeners";
import { type FoundDomain, validateDomains } from "./validate";

/** All domains of the program, in the order of their names. */
export interface Registry {
  all: AnyDomain[];
  modules: MonolithModule[];
  microservices: MicroserviceDomain[];
  /** Domain -> the event types of its contracts. */
  eventTypes: Record<string, string[]>;
}

const REMEDY =
  'Export `domain = monolithModule("<name>", {...})` or `domain = microservice("<name>", {...})` from its index.ts';

/**
 * Loads every domain folder and validates all of them together.
 *
 * @param folder where the domain folders are
 * @throws DOMAINS_INVALID with one line per fault; nothing has been created then
 */
export function loadDomainsFrom(folder: string): Registry {
  const faults: Fault[] = [];
  const found: FoundDomain[] = [];
  for (const name of foldersIn(folder)) {
    const loaded = load(folder, name);
    if ("problem" in loaded) faults.push(loaded);
    else found.push(loaded);
  }
  faults.push(...validateDomains(found));
  if (faults.length > 0) {
    faults.sort((one, other) => (one.folder < other.folder ? -1 : Number(one.folder > other.folder)));
    const lines = faults.map((fault) => `  - ${describeFault(fault)}`);
    throw codedError(
      "DOMAINS_INVALID",
      `The domains have ${faults.length} fault(s); nothing was created:\n${lines.join("\n")}`,
    );
  }
  return registryOf(found.map(({ domain }) => domain));
}

/** Makes the registry of domains that are valid together. */
export function registryOf(domains: readonly AnyDomain[]): Registry {
  return {
    all: [...domains],
    modules: domains.filter((domain): domain is MonolithModule => domain.kind === "monolith-module"),
    microservices: domains.filter((domain): domain is MicroserviceDomain => domain.kind === "microservice"),
    eventTypes: Object.fromEntries(domains.map((domain) => [domain.name, eventTypesOf(domain)])),
  };
}

function foldersIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

function load(folder: string, name: string): FoundDomain | Fault {
  const fault = { folder: `domains/${name}`, thing: "the folder" };
  let path: string;
  try {
    path = require.resolve(join(folder, name));
  } catch {
    return { ...fault, problem: "has no index.ts", remedy: REMEDY };
  }
  let exported: { domain?: Partial<AnyDomain> };
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- folders are found at run time, and Pulumi loads CommonJS
    exported = require(path) as typeof exported;
  } catch (error) {
    // Node appends the files that required it, line by line.
    const [reason] = String((error as Error | undefined)?.message).split("\n");
    return { ...fault, problem: `cannot be loaded: ${reason}`, remedy: "Fix the error in its code" };
  }
  const { domain } = exported;
  if (domain?.kind !== "monolith-module" && domain?.kind !== "microservice") {
    return { ...fault, problem: "does not export a domain", remedy: REMEDY };
  }
  return { folder: name, domain: domain as AnyDomain };
}
