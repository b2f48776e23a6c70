import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { strToU8, zipSync } from "fflate";
import { beforeAll, describe, expect, test } from "vitest";
import { awsStub, acceptsAll } from "../support/dynamodb/aws-stub";
import { FIXTURE, REGISTERED } from "../support/program/domain-sources";
import { expectedFunctions } from "../support/program/expected-program";
import { expectedRuns } from "../support/program/expected-runs";
import {
  type DeclaredFunction,
  hashesOf,
  packageText,
  type ProgramOptions,
  runProgram,
} from "../support/program/run-program";
import { REQUIRED_CONFIG } from "../support/program/stack-config";
import { temporaryFolder } from "../support/process/temporary-folder";

/** Bytes of a zipped package. Loading it is most of a cold start: 300 KB take about 100 ms. */
const SIZE_BUDGET_BYTES = 400 * 1024;
/** Earliest time that a zip can hold, so that only the content counts. */
const MTIME = new Date(1980, 0, 1);
const RUNS_MILLISECONDS = 300_000;

const folder = temporaryFolder();
const aws = await awsStub();
const builds = new Map<string, Promise<Record<string, DeclaredFunction>>>();

/** The functions of the built program, which is run once for each set of domains. */
function buildOf(domains: ProgramOptions["domains"]): Promise<Record<string, DeclaredFunction>> {
  const build = builds.get(domains) ?? runProgram(folder, { domains, load: "build" });
  builds.set(domains, build);
  return build;
}

describe.each([FIXTURE, REGISTERED])("Of $name,", ({ name, registry }) => {
  const domains = name === FIXTURE.name ? "fixture" : "registered";
  let built: Record<string, DeclaredFunction>;
  beforeAll(async () => {
    built = await buildOf(domains);
  }, RUNS_MILLISECONDS);

  test("every function has a package", () => {
    expect(Object.keys(built).sort()).toEqual(Object.keys(expectedFunctions(registry)).sort());
  });

  test("a package is one file with one handler, and small enough to start fast", () => {
    for (const [name, { handler, files }] of Object.entries(built)) {
      expect([name, handler, files]).toEqual([name, "index.handler", ["index.js"]]);
      const zip = zipSync({ "index.js": strToU8(packageText(built[name])) }, { level: 6, mtime: MTIME });
      expect(zip.length, name).toBeLessThanOrEqual(SIZE_BUDGET_BYTES);
    }
  });

  test("no package holds a name, an endpoint or a secret of the stack, so that renaming a resource changes no code", () => {
    const { databaseHost, captureSecretArn } = REQUIRED_CONFIG;
    const given = Object.values(built).flatMap(({ variables }) => Object.values(variables).flatMap(valuesIn));
    const forbidden = new Set(
      [...given, databaseHost, captureSecretArn].filter((value) => /[-:.]/.test(value)),
    );
    // Not an address, but one of two settings.
    forbidden.delete("verify-full");
    const [domain] = registry.microservices;
    if (domain) expect(forbidden).toContain(`${domain.name}-outbox`);
    for (const [name, declared] of Object.entries(built)) {
      const text = packageText(declared);
      expect(
        [...forbidden].filter((word) => text.includes(word)),
        name,
      ).toEqual([]);
    }
  });

  test("every package loads in a bare Node process with the environment that its function declares, and runs", async () => {
    aws.answer(acceptsAll);
    const expected = expectedRuns(registry);
    const script = join(folder, "run-each.cjs");
    writeFileSync(script, RUN_EACH);
    const events = Object.fromEntries(Object.entries(expected).map(([name, run]) => [name, run.events]));
    const request = { built, events, inherited: aws.environment };
    writeFileSync(join(folder, "request.json"), JSON.stringify(request));
    const options = { cwd: folder, env: { PATH: process.env.PATH } };
    const { stdout } = await promisify(execFile)(process.execPath, [script], options);
    const ran = JSON.parse(stdout.split("\n").findLast((line) => line.startsWith("{")) ?? "") as Record<
      string,
      { type: string; parameters: number; results: unknown[] }
    >;
    expect(Object.keys(ran).sort()).toEqual(Object.keys(built).sort());
    for (const [name, { type, parameters, results }] of Object.entries(ran)) {
      expect(type, name).toBe("function");
      // Node 24 on Lambda refuses a handler with a third parameter, the callback of old.
      expect(parameters, name).toBeLessThanOrEqual(2);
      expect(results, name).toMatchObject(expected[name]?.results ?? ["no run is expected"]);
    }
    const written = aws.taken().filter(({ operation }) => operation === "PutItem");
    const projections = registry.all.flatMap(({ name, subscriptions }) =>
      Object.keys(subscriptions).flatMap((subscription) =>
        subscriptions[subscription]?.kind === "project" ? [`${name}-${subscription}-projection`] : [],
      ),
    );
    expect(written.map(({ body }) => body.TableName).sort()).toEqual(projections.sort());
  });
});

// One comparison for all four, since a run with the compiler costs seconds: what differs would show here, and then be
// looked for.
test(
  "A package has the same bytes in every process, in a preview as in a deployment, loaded and type-checked by `pulumi up` as built",
  async () => {
    const [built, loaded] = await Promise.all([
      buildOf("registered"),
      runProgram(folder, { domains: "registered", load: "pulumi", preview: true, typeCheck: true }),
    ]);
    expect(hashesOf(loaded)).toEqual(hashesOf(built));
  },
  RUNS_MILLISECONDS,
);

/** The values of a variable: of a JSON object, each of its. */
function valuesIn(value: string): string[] {
  return value.startsWith("{") ? Object.values(JSON.parse(value) as Record<string, string>) : [value];
}

/** Each package with its function's variables, and no others'. */
const RUN_EACH = `
  const { built, events, inherited } = JSON.parse(require("node:fs").readFileSync("request.json", "utf8"));
  const own = { ...process.env };
  const ran = {};
  (async () => {
    for (const [name, { folder, variables }] of Object.entries(built)) {
      process.env = { ...own, ...variables, ...inherited };
      // The SDK takes the URL of a queue as its endpoint.
      if (variables.QUARANTINE_QUEUE_URL) process.env.QUARANTINE_QUEUE_URL = inherited.AWS_ENDPOINT_URL + "/1/quarantine";
      const { handler } = require(folder + "/index.js");
      const results = [];
      for (const event of events[name] ?? []) {
        const context = { getRemainingTimeInMillis: () => 60_000 };
        results.push(await handler(event, context).catch((error) => ({ thrown: error.code, message: error.message })));
      }
      ran[name] = { type: typeof handler, parameters: handler.length, results };
    }
    process.stdout.write("\\n" + JSON.stringify(ran) + "\\n", () => process.exit(0));
  })();
`;
