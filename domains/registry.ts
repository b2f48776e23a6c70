import { loadDomainsFrom, type Registry } from "../registry/load-domains";

/**
 * All domains of the program: the folders beside this file.
 *
 * @throws DOMAINS_INVALID with one line per fault, before any resource is created
 */
export function loadDomains(): Registry {
  return loadDomainsFrom(__dirname);
}
