import { createRequire } from "node:module";
import { deploy, type DeployOptions, type Deployment } from "./mocks";

const require = createRequire(import.meta.url);
const PROGRAM = "../../dist/index.js";

/** Runs the whole program, as it was built. */
export function deployProgram(options?: DeployOptions): Promise<Deployment> {
  return deploy(() => {
    // A module that was loaded before would not run again.
    delete require.cache[require.resolve(PROGRAM)];
    return require(PROGRAM) as unknown;
  }, options);
}
