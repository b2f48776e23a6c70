import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FaultsReport } from "../../dist/test/faults/faults-report.js";
import type { OnceReport } from "../support/process/run-once";
import { copyProject, DOMAIN_TESTS, type ProjectCopy } from "./project-copy";

/** The files to delete, according to the README. */
const SAMPLE = ["customers", "catalog", "orders", "shipping"].map((name) => join("domains", name));

/** The secrets of the sample's modules, as Pulumi.dev.yaml names them. */
const SAMPLE_SECRETS = /^ +(catalog|customers): arn:aws:secretsmanager:.*\n/gm;
const MEMBERS_SECRET =
  "    members: arn:aws:secretsmanager:eu-central-1:111122223333:secret:monolith/members-AbCdEf\n";

/** A team's clone without the sample, and with two other domains, one of each kind. */
let copy: ProjectCopy;
beforeAll(() => {
  copy = copyProject();
  for (const name of [...SAMPLE, "scenario"]) rmSync(join(copy.root, name), { recursive: true });
  for (const name of readdirSync(join(copy.root, "migrations")))
    if (name.endsWith(".ts")) rmSync(join(copy.root, "migrations", name));
  const fixtures = join(copy.root, "test", "fixtures");
  for (const domain of ["members", "loans"]) {
    cpSync(join(fixtures, "domains", domain), join(copy.root, "domains", domain), { recursive: true });
    for (const file of ["contract.ts", "index.ts"]) {
      const path = join(copy.root, "domains", domain, file);
      writeFileSync(path, readFileSync(path, "utf8").replaceAll("../../../../runtime", "../../runtime"));
    }
  }
  cpSync(join(fixtures, "migrations"), join(copy.root, "migrations"), { recursive: true });
  const stack = join(copy.root, "Pulumi.dev.yaml");
  const secrets = "domain-consistency:moduleSecretArns:\n";
  const settings = readFileSync(stack, "utf8").replace(SAMPLE_SECRETS, "");
  writeFileSync(stack, settings.replace(secrets, secrets + MEMBERS_SECRET));
});
afterAll(() => copy.remove());

describe("in a project without the sample", () => {
  test("the code is checked: types, lint, format, layers", async () => {
    await copy.run("check");
  });

  test("npm start comes up, says that there is no scenario, and keeps running", async () => {
    const { said, stop } = await copy.start();
    await stop();
    expect(said).toContain("There is no scenario (scenario/index.ts).");
    expect(said).toContain("The system keeps running");
    expect(said).not.toContain("All held.");
  });

  test("npm start -- --once sends commands derived from the domains, and all holds", async () => {
    const { stdout } = await copy.run("start", "--once", "--json");
    const report = JSON.parse(stdout) as OnceReport;
    expect(report.faults).toEqual([]);
    expect(report.commands.outcomes["done"]).toBeGreaterThan(10);
    expect(report.events.inOutboxes).toBeGreaterThan(10);
    expect(report.steps.filter(({ count }) => count === 0)).toEqual([]);
  });

  test("npm run preview shows the functions of the two domains, and nothing of the sample", async () => {
    const { stdout } = await copy.run("preview", "--json");
    const { functions } = JSON.parse(stdout) as { functions: { name: string }[] };
    const names = functions.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["members-commands", "loans-commands", "loans-on-members"]));
    expect(names.filter((name) => /customers|catalog|orders|shipping/.test(name))).toEqual([]);
  });

  test("npm run domains -- list shows them", async () => {
    const { stdout } = await copy.run("domains", "list");
    expect(stdout).toMatch(/^loans \(microservice\)/m);
    expect(stdout).toMatch(/^members \(monolith-module\)/m);
  });

  test("npm run faults writes to them under faults, and finds nothing", async () => {
    const { stdout } = await copy.run(
      "faults",
      ...["--seed", "7", "--seeds", "1", "--faults", "60", "--changes", "80", "--json"],
    );
    const report = JSON.parse(stdout) as FaultsReport;
    expect(report.runs.flatMap(({ findings }) => findings)).toEqual([]);
    expect(report.changes).toBeGreaterThanOrEqual(80);
    expect(report.held).toBe(true);
  });

  test("npm run bench measures", async () => {
    const { stdout } = await copy.run("bench", "--only", "packages");
    expect(stdout).toContain("members-commands: zipped");
  });

  test("every test is green that sees the domains", async () => {
    await copy.run("test", ...DOMAIN_TESTS);
  });
});
