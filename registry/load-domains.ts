import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { AnyDomain, MicroserviceDomain, MonolithModule } from "../runtime/define/domain";
import { codedError } from "../runtime/function/coded-error";
import { describeFault, type Fault } from "./fault";
import { type FoundDomain, validateDomains } from "./validate";

/** All domains of the program, in the order of their names. */
export interface Registry {
  all: AnyDomain[];
  modules: MonolithModule[];
  microservices: MicroserviceDomain[];
}

const REMEDY = 'Export `domain = monolithModule("<name>", {...})` or `domain = microservice("<name>", {...})` from its index.ts';

/**
 * Finds every domain folder and validates the whole set.
 *
 * @param folder where the domain folders are
 * @throws DOMAINS_INVALID with one line for every fault; nothing has been created then
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
    const lines = faults.map((fault) => `  - ${describeFault(fault)}`);
    throw codedError(
      "DOMAINS_INVALID",
      `The domains have ${faults.length} fault(s); nothing was created:\n${lines.join("\n")}`,
    );
  }
  return registryOf(found.map(({ domain }) => domain));
}

/** The registry of these domains, which are valid together. */
export function registryOf(domains: readonly AnyDomain[]): Registry {
  return {
    all: [...domains],
    modules: domains.filter((domain): domain is MonolithModule => domain.kind === "monolith-module"),
    microservices: domains.filter((domain): domain is MicroserviceDomain => domain.kind === "microservice"),
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
  let exported: { domain?: Partial<AnyDomain> };
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- folders are found at run time, and Pulumi loads CommonJS
    exported = require(join(folder, name)) as typeof exported;
  } catch (error) {
    // Node adds the files that required it, line by line.
    const [reason] = (error as Error).message.split("\n");
    return { ...fault, problem: `cannot be loaded: ${reason}`, remedy: REMEDY };
  }
  const { domain } = exported;
  if (domain?.kind !== "monolith-module" && domain?.kind !== "microservice") {
    return { ...fault, problem: "does not define a domain", remedy: REMEDY };
  }
  return { folder: name, domain: domain as AnyDomain };
}
