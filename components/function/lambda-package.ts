import { createHash } from "node:crypto";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { build, type Plugin } from "esbuild";
import { codedError } from "../../runtime/function/coded-error";

/** A handler factory: called once a cold start, it makes the function that Lambda invokes. */
export type HandlerFactory = () => (event: never, context: never) => Promise<unknown>;

/** Where the project's node_modules are; the program is run from the project's folder by Pulumi as by the local runner. */
const PROJECT_FOLDER = process.cwd();

/** Serialized text -> package: functions that do the same share one, since bundling costs more than serializing. */
const packages = new Map<string, Promise<string>>();

/**
 * Packages a handler for Lambda: Pulumi serializes the factory with what it captures, esbuild bundles that text with the libraries
 * it requires into one minified file. The same handler gives the same bytes.
 *
 * @param owner names the handler in errors, e.g. `domain "orders", commands`
 * @returns the text of index.js, which exports `handler`
 * @throws HANDLER_NOT_SERIALIZABLE naming the handler and the captured variable, PACKAGE_NOT_BUNDLED
 */
export async function lambdaPackage(owner: string, callbackFactory: HandlerFactory): Promise<string> {
  const text = await serialize(owner, callbackFactory);
  const hash = createHash("sha256").update(text).digest("hex");
  const known = packages.get(hash) ?? bundle(owner, text);
  packages.set(hash, known);
  return known;
}

async function serialize(owner: string, callbackFactory: HandlerFactory): Promise<string> {
  try {
    const serialized = await pulumi.runtime.serializeFunction(callbackFactory, {
      isFactoryFunction: true,
      exportName: "handler",
    });
    return serialized.text;
  } catch (error) {
    throw codedError(
      "HANDLER_NOT_SERIALIZABLE",
      `The handler of ${owner} cannot be serialized into a Lambda package: ${(error as Error).message}\n` +
        "Capture only functions and plain data; make clients and schemas inside the factory (docs/handlers.md).",
      { cause: error },
    );
  }
}

async function bundle(owner: string, text: string): Promise<string> {
  try {
    const result = await build({
      stdin: {
        contents: text,
        resolveDir: PROJECT_FOLDER,
        sourcefile: join("handler", "index.js"),
        loader: "js",
      },
      bundle: true,
      write: false,
      minify: true,
      platform: "node",
      target: "node24",
      format: "cjs",
      mainFields: ["module", "main"],
      // pg's native driver is optional and not used.
      external: ["pg-native"],
      logLevel: "silent",
      legalComments: "none",
      plugins: [englishOnly],
    });
    return result.outputFiles[0]?.text ?? "";
  } catch (error) {
    throw codedError(
      "PACKAGE_NOT_BUNDLED",
      `The package of ${owner} cannot be bundled: ${(error as Error).message}\nInstall what it requires, or import something else.`,
      { cause: error },
    );
  }
}

/** Zod brings its messages in some fifty languages, a quarter of a package; ours are told in English. */
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
