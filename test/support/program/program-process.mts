/**
 * Run by Node directly, without vitest and without a build step: runs the program once against Pulumi's
 * mocks, and writes the package of every declared function to a folder. See run-program.ts.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type * as Pulumi from "@pulumi/pulumi";
import type * as Program from "../../../local/system/program";
import type * as Fixtures from "../../fixtures/source";
import type { DeclaredFunction, ProgramRequest } from "./run-program";

const request = JSON.parse(process.argv[2] ?? "") as ProgramRequest;
// The process is started in the project's folder, as Pulumi starts a program.
const require = createRequire(join(process.cwd(), "index.ts"));
const pulumi = require("@pulumi/pulumi") as typeof Pulumi;
const lambdas: Pulumi.runtime.MockResourceArgs[] = [];

process.on("unhandledRejection", (error) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});
await mock();
await load();
await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
const declared = Object.fromEntries(await Promise.all(lambdas.map(written)));
// The answer goes to a file, because Pulumi and the loader may print.
writeFileSync(join(request.folder, "functions.json"), JSON.stringify(declared));
process.exit(0);

async function mock(): Promise<void> {
  const newResource = (resource: Pulumi.runtime.MockResourceArgs) => {
    const { type, name, inputs } = resource;
    if (type === "aws:lambda/function:Function") lambdas.push(resource);
    const computed = {
      name,
      arn: `arn:${name}`,
      url: `https://${name}`,
      streamArn: `arn:${name}/stream`,
      replicationTaskArn: `arn:task:${name}`,
    };
    return { id: name, state: request.preview ? inputs : { ...computed, ...inputs } };
  };
  const call = () => ({ region: "eu-central-1" });
  await pulumi.runtime.setMocks({ newResource, call }, request.project, "dev", request.preview);
  pulumi.runtime.setAllConfig(request.config);
}

/** Loads the compiled program, or its sources with the loader of `pulumi up`. */
async function load(): Promise<void> {
  if (request.load === "build") {
    const { loadProgram, REGISTERED_DOMAINS } = require("./dist/local/system/program.js") as typeof Program;
    const { FIXTURE_DOMAINS } = require("./dist/test/fixtures/source.js") as typeof Fixtures;
    const source = request.domains === "fixture" ? FIXTURE_DOMAINS : REGISTERED_DOMAINS;
    await pulumi.runtime.runInPulumiStack(async () => loadProgram(source) as object);
    return;
  }
  process.env.PULUMI_NODEJS_TYPESCRIPT = "true";
  process.env.PULUMI_NODEJS_TRANSPILE_ONLY = String(!request.typeCheck);
  // The command around the loader connects to the engine and ends the process; the loader needs only one
  // constant of it.
  const command = require.resolve("@pulumi/pulumi/cmd/run");
  const exports = { nodeJSProcessExitedAfterLoggingUserActionableMessage: 32 };
  require.cache[command] = { id: command, filename: command, loaded: true, exports } as NodeJS.Module;
  const { run } = require("@pulumi/pulumi/cmd/run/run.js") as {
    run(argv: object, started: () => void, logged: () => void, reported: () => boolean): Promise<unknown>;
  };
  const nothing = () => {};
  await run({ _: [request.main], pwd: process.cwd() }, nothing, nothing, () => false);
}

async function written({
  name,
  inputs,
}: Pulumi.runtime.MockResourceArgs): Promise<[string, DeclaredFunction]> {
  const { handler, environment, code } = inputs as {
    handler: string;
    environment: { variables?: Record<string, string> };
    code: Pulumi.asset.AssetArchive;
  };
  const folder = join(request.folder, name);
  mkdirSync(folder);
  const files = await code.assets;
  for (const [file, asset] of Object.entries(files)) {
    writeFileSync(join(folder, file), await (asset as Pulumi.asset.StringAsset).text);
  }
  return [name, { handler, folder, files: Object.keys(files), variables: environment.variables ?? {} }];
}
