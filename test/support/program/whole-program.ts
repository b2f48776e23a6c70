import { createRequire } from "node:module";
import { loadProgram } from "../../../dist/local/system/program.js";
import { FIXTURE, type TestedDomains } from "./domain-sources";
import { deploy, type DeployOptions, type Deployment } from "./mocks";
import { REQUIRED_CONFIG, secretsOf } from "./stack-config";

const require = createRequire(import.meta.url);

/** Runs the whole compiled program with these domains. @default the fixture domains */
export function deployProgram(
  options: DeployOptions = {},
  { source, registry }: TestedDomains = FIXTURE,
): Promise<Deployment> {
  const moduleSecretArns = secretsOf(registry.modules.map(({ name }) => name));
  const config = { ...(options.config ?? REQUIRED_CONFIG), moduleSecretArns };
  return deploy(
    () => {
      // A module that is already loaded would not run again, or only with the earlier domains.
      for (const name of ["index.js", "domains/registry.js"])
        delete require.cache[require.resolve(`../../../dist/${name}`)];
      return loadProgram(source);
    },
    { ...options, config },
  );
}
