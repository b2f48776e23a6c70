import { validateDomains } from "../../dist/registry/validate.js";
import type { AnyDomain } from "../../dist/runtime/define/domain.js";
import { describeFault } from "../../dist/registry/fault.js";

/** What the registry says about these domains, each in a folder of its name, line by line. */
export function faultsOf(...domains: AnyDomain[]): string[] {
  return validateDomains(domains.map((domain) => ({ folder: domain.name, domain }))).map(describeFault);
}
