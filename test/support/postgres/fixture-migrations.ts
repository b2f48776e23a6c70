import { join } from "node:path";
import type { AnyDomain } from "../../../dist/runtime/define/domain.js";
import { loadDomainsFrom } from "../../../dist/registry/load-domains.js";

const FIXTURES = join(__dirname, "..", "..", "..", "dist", "test", "fixtures");

/** The migrations of the fixture domains, compiled. */
export const FIXTURE_MIGRATIONS = join(FIXTURES, "migrations");

/** The fixture domains. */
export const fixtureDomains = (): AnyDomain[] => loadDomainsFrom(join(FIXTURES, "domains")).all;

/** The framework's migrations, in order. */
export const FRAMEWORK_MIGRATIONS = [
  "0001_roles",
  "0002_outbox",
  "0003_guard",
  "0004_capture",
  "0005_contract_values",
  "0006_guard_lives",
  "0007_truthful_events",
  "0008_outbox_limits",
  "0009_module_roles",
];
