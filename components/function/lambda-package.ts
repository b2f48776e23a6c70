import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { build, type BuildOptions, type Plugin, version as bundlerVersion } from "esbuild";
import { codedError } from "../../runtime/function/coded-error";
import { type Bundle, cachedBundle } from "./package-cache";
import { withSharedMemory } from "./serializer-memory";

/** A handler factory: called once at each cold start, it makes the function that Lambda invokes. */
export type HandlerFactory = () => (event: never, context: never) => Promise<unknown>;

/**
 * Where the project's node_modules are: Pulumi and the local runner both run the program from the project's
 * folder.
 */
const PROJECT_FOLDER = process.cwd();
/** Names another folder than the project's own to keep bundles in. */
const CACHE_VARIABLE = "DOMAINS_PACKAGE_CACHE";
/** The name by which the bundler knows the serialized text. */
const SERIALIZED = "handler/index.js";

/** Zod brings its messages in some fifty languages, a quarter of a package; only the English ones are used. */
const englishOnly: Plugin = {
  name: "english-only",
  setup({ onLoad }) {
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.(js|cjs)$/ }, ({ path }) => ({
      contents: path.endsWith(".cjs")
        ? 'exports.en = require("./en.cjs");'
        : 'export { default as en } from "./en.js";',
      loader: "js",
    }));
  },
};

const OPTIONS = {
  bundle: true,
  write: false,
  metafile: true,
  minify: true,
  platform: "node",
  target: "node24",
  format: "cjs",
  mainFields: ["module", "main"],
  // pg's native driver is optional and not used.
  external: ["pg-native"],
  logLevel: "silent",
  legalComments: "none",
} satisfies BuildOptions;

/**
 * By the cache's key: functions that do the same share one package, since bundling costs more than serializing.
 */
const packages = new Map<string, Promise<string>>();

/**
 * Packages a handler for Lambda: Pulumi serializes the factory with what it captures, esbuild bundles that text
 * with the libraries it requires into one minified file. The same handler gives the same bytes. Bundles are kept
 * between runs, in .domains/cache/packages or where DOMAINS_PACKAGE_CACHE says.
 *
 * @param owner names the handler in errors, e.g. `domain "orders", commands`
 * @returns the text of index.js, which exports `handler`
 * @throws HANDLER_NOT_SERIALIZABLE naming the handler and the captured variable, PACKAGE_NOT_BUNDLED
 */
export async function lambdaPackage(owner: string, callbackFactory: HandlerFactory): Promise<string> {
  const text = await serialize(owner, callbackFactory);
  const key = hashOf(text, toolchain());
  const cacheFolder = process.env[CACHE_VARIABLE] || join(PROJECT_FOLDER, ".domains", "cache", "packages");
  const known = packages.get(key) ?? cachedBundle(cacheFolder, key, () => bundle(owner, text));
  packages.set(key, known);
  return known;
}

async function serialize(owner: string, callbackFactory: HandlerFactory): Promise<string> {
  try {
    const serialized = await withSharedMemory(() =>
      pulumi.runtime.serializeFunction(callbackFactory, { isFactoryFunction: true, exportName: "handler" }),
    );
    return serialized.text;
  } catch (error) {
    throw codedError(
      "HANDLER_NOT_SERIALIZABLE",
      `The handler of ${owner} cannot be serialized into a Lambda package: ${(error as Error).message}\n` +
        "Capture only functions and plain data; make clients and schemas inside the factory (docs/packaging.md).",
      { cause: error },
    );
  }
}

async function bundle(owner: string, text: string): Promise<Bundle> {
  try {
    const { outputFiles, metafile } = await build({
      ...OPTIONS,
      stdin: { contents: text, resolveDir: PROJECT_FOLDER, sourcefile: SERIALIZED, loader: "js" },
      absWorkingDir: PROJECT_FOLDER,
      plugins: [englishOnly],
    });
    const files = Object.keys(metafile.inputs).filter((path) => path !== SERIALIZED);
    return { text: outputFiles[0]?.text ?? "", inputs: files.map((path) => join(PROJECT_FOLDER, path)) };
  } catch (error) {
    throw codedError(
      "PACKAGE_NOT_BUNDLED",
      `The package of ${owner} cannot be bundled: ${(error as Error).message}\nInstall what it requires, or import something else.`,
      { cause: error },
    );
  }
}

let knownToolchain: string | undefined;

/**
 * What a bundle depends on beside the serialized text and the files in it: how it is bundled, and which packages
 * are installed.
 */
function toolchain(): string {
  const lock = join(PROJECT_FOLDER, "package-lock.json");
  knownToolchain ??= hashOf(
    bundlerVersion,
    JSON.stringify(OPTIONS),
    englishOnly.setup.toString(),
    existsSync(lock) ? readFileSync(lock, "utf8") : "",
  );
  return knownToolchain;
}

function hashOf(...texts: string[]): string {
  return createHash("sha256").update(texts.join("\0")).digest("hex");
}
