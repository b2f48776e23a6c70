/**
 * Imported first, for its effect: in this process a function's package is only the name of its owner. Serializing
 * handlers takes most of the time of a deployment and changes nothing else of what is declared; test/serialize/
 * looks at real packages.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const path = require.resolve("../../dist/components/function/lambda-package.js");
require(path);
const cached = require.cache[path];
if (!cached) throw new Error("lambda-package.js is not loaded as CommonJS any more: replace it otherwise.");
cached.exports = { lambdaPackage: async (owner: string) => owner };
