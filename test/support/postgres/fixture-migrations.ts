import { join } from "node:path";
import type { AnyDomain } from "../../../dist/runtime/define/domain.js";
import { loadDomainsFrom } from "../../../dist/registry/load-domains.js";

const FIXTURES = join(__dirname, "..", "..", "..", "dist", "test", "fixtures");

/** The migrations of the fixture domains, compiled. */
export const FIXTURE_MIGRATIONS = join(FIXTURES, "migrations");

/** The fixture domains. */
export const fixtureDomains = (): AnyDomain[] => loadDomainsFrom(join(FIXTURES, "domains")).all;
