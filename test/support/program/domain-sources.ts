import { type DomainSource, REGISTERED_DOMAINS } from "../../../dist/local/system/program.js";
import { loadDomainsFrom, type Registry } from "../../../dist/registry/load-domains.js";
import { FIXTURE_DOMAINS, FIXTURE_MICROSERVICES } from "../../../dist/test/fixtures/source.js";

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

const microservices: TestedDomains = {
  name: "a microservice by itself",
  source: FIXTURE_MICROSERVICES,
  registry: loadDomainsFrom(FIXTURE_MICROSERVICES.domains),
};

/** Whatever is registered under domains/: it may be nothing. */
export const REGISTERED: TestedDomains = {
  name: "the domains of this project",
  source: REGISTERED_DOMAINS,
  registry: loadDomainsFrom(REGISTERED_DOMAINS.domains),
};

/** What a test says about all of them holds for any domains. */
export const ALL_DOMAINS: TestedDomains[] = [FIXTURE, microservices, REGISTERED];
