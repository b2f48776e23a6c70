import { validateDomains } from "../../../dist/registry/validate.js";
import type { AnyDomain } from "../../../dist/runtime/define/domain.js";
import { describeFault } from "../../../dist/registry/fault.js";

/** The faults that the registry reports for these domains, a line each; their folders have their names. */
export function faultsOf(...domains: AnyDomain[]): string[] {
  return validateDomains(domains.map((domain) => ({ folder: domain.name, domain }))).map(describeFault);
}
