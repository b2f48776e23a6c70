import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { type HandlerFactory, lambdaPackage } from "../../../dist/components/function/lambda-package.js";
import { temporaryFolder } from "./temporary-folder";

/** The results of the invocations of one function, in order. */
export interface Invocations {
  results: unknown[];
  /** What the function wrote to its log, line by line. */
  log: Record<string, unknown>[];
}

/** A packaged function. */
export interface BareFunction {
  /**
   * Invokes it with these events, one after the other, in one new process. @throws when the function throws
   */
  invoke(environment: Record<string, string>, ...events: unknown[]): Promise<Invocations>;
  /** Invokes it in a new process, and kills the process at the given moment. */
  invokeAndKill(environment: Record<string, string>, event: unknown, moment: Promise<unknown>): Promise<void>;
}

/**
 * Packages a handler as a deployment does, to run it in plain Node processes without access to the project.
 * Call this outside of tests.
 */
export async function bareFunction(handler: { callbackFactory: HandlerFactory }): Promise<BareFunction> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "index.js"), await lambdaPackage("a test", handler.callbackFactory));
  writeFileSync(join(folder, "invoke.cjs"), INVOKE);
  const start = (environment: Record<string, string>, events: unknown[], signal?: AbortSignal) => {
    const cwd = mkdtempSync(join(folder, "run-"));
    writeFileSync(join(cwd, "events.json"), JSON.stringify(events));
    const env = { PATH: process.env.PATH, ...environment };
    const options = { cwd, env, killSignal: "SIGKILL" as const, ...(signal ? { signal } : {}) };
    return promisify(execFile)(process.execPath, ["../invoke.cjs"], options);
  };
  return {
    async invokeAndKill(environment, event, moment) {
      const killer = new AbortController();
      const running = start(environment, [event], killer.signal);
      // The process ended before it was killed.
      await Promise.race([moment, running]);
      killer.abort();
      await expect(running).rejects.toMatchObject({ name: "AbortError" });
    },
    async invoke(environment, ...events) {
      const { stdout, stderr } = await start(environment, events);
      const lines = [...stdout.split("\n"), ...stderr.split("\n")].filter((line) => line.startsWith("{"));
      const log = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      const results = log.pop() as { results: unknown[] };
      return { results: results.results, log };
    },
  };
}

/** Prints the results last on standard error, after the log of the handler. */
const INVOKE = `
  const { handler } = require("./index.js");
  const events = JSON.parse(require("node:fs").readFileSync("events.json", "utf8"));
  (async () => {
    const results = [];
    for (const event of events) {
      const context = { getRemainingTimeInMillis: () => 30_000 };
      results.push(await handler(event, context).catch((error) => ({ thrown: error.code, message: error.message })));
    }
    process.stderr.write("\\n" + JSON.stringify({ results }) + "\\n", () => process.exit(0));
  })();
`;
