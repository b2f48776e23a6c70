/**
 * Import this first, for its side effect: it replaces the package of every function by the name of its owner.
 * Serializing handlers takes most of the time of a deployment and does not affect other resources;
 * test/serialize/ tests real packages.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const path = require.resolve("../../../dist/components/function/lambda-package.js");
require(path);
const cached = require.cache[path];
if (!cached) throw new Error("lambda-package.js is no longer loaded as CommonJS. Replace it in another way.");
cached.exports = { lambdaPackage: async (owner: string) => owner };
