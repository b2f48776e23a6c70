import { type DomainSource, REGISTERED_DOMAINS } from "../../dist/local/system/program.js";
import { loadDomainsFrom, type Registry } from "../../dist/registry/load-domains.js";
import { FIXTURE_DOMAINS } from "../../dist/test/fixtures/source.js";

/** Domains that the whole program is tested with. */
export interface TestedDomains {
  name: string;
  source: DomainSource;
  registry: Registry;
}

/** The framework's own: what a test says about them exactly holds until the framework changes. */
export const FIXTURE: TestedDomains = {
  name: "the fixture domains",
  source: FIXTURE_DOMAINS,
  registry: loadDomainsFrom(FIXTURE_DOMAINS.domains),
};

const registered: TestedDomains = {
  name: "the domains of this project",
  source: REGISTERED_DOMAINS,
  registry: loadDomainsFrom(REGISTERED_DOMAINS.domains),
};

/**
 * The fixture domains and whatever is registered under domains/: what a test says about all of them holds for any.
 * Without a module there is no program to test (components/monolith/monolith.ts refuses it).
 */
export const ALL_DOMAINS: TestedDomains[] = [
  FIXTURE,
  ...(registered.registry.modules.length > 0 ? [registered] : []),
];
