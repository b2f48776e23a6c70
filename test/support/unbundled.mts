/**
 * Imported first, for its effect: in this process handlers are serialized, but not bundled with their libraries. Bundling is most of
 * what a package costs and changes nothing of what is declared; test/serialize/ looks at real packages.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const path = require.resolve("esbuild");

/** The only part of esbuild's interface that the program uses. */
interface Bundling {
  stdin: { contents: string };
}

const esbuild: unknown = require(path);
const cached = require.cache[path];
if (!cached) throw new Error("esbuild is not loaded as CommonJS any more: replace it otherwise.");
cached.exports = {
  ...(esbuild as object),
  build: async ({ stdin }: Bundling) => ({ outputFiles: [{ text: stdin.contents }] }),
};
