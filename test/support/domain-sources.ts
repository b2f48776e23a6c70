import { type DomainSource, REGISTERED_DOMAINS } from "../../dist/local/system/program.js";
import { loadDomainsFrom, type Registry } from "../../dist/registry/load-domains.js";
import { FIXTURE_DOMAINS } from "../../dist/test/fixtures/source.js";

/** A set of domains to test the whole program with. */
export interface TestedDomains {
  name: string;
  source: DomainSource;
  registry: Registry;
}

/** The fixture domains. Tests may state exact facts about them, which change only with the framework. */
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
 * The fixture domains, and the domains registered under domains/. Tests of all sources must hold for any
 * domains. Without a module there is no program to test (components/monolith/monolith.ts refuses it).
 */
export const ALL_DOMAINS: TestedDomains[] = [
  FIXTURE,
  ...(registered.registry.modules.length > 0 ? [registered] : []),
];
