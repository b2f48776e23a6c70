import { createRequire } from "node:module";
import { loadProgram } from "../../../dist/local/system/program.js";
import { FIXTURE, type TestedDomains } from "./domain-sources";
import { deploy, type DeployOptions, type Deployment } from "./mocks";

const require = createRequire(import.meta.url);

/** Runs the whole compiled program with these domains. @default the fixture domains */
export function deployProgram(
  options?: DeployOptions,
  { source }: TestedDomains = FIXTURE,
): Promise<Deployment> {
  return deploy(() => {
    // A module that is already loaded would not run again, or only with the earlier domains.
    for (const name of ["index.js", "domains/registry.js"])
      delete require.cache[require.resolve(`../../../dist/${name}`)];
    return loadProgram(source);
  }, options);
}
