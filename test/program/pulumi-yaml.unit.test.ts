import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { readSettings } from "../../dist/components/settings.js";
import { REGISTERED } from "../support/program/domain-sources";
import { inNamespace, PROJECT, REQUIRED_CONFIG } from "../support/program/stack-config";

interface ConfigEntry {
  type: "string" | "integer" | "boolean";
  default?: string | number | boolean;
  description?: string;
}

const root = join(__dirname, "..", "..");
const project = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as {
  name: string;
  main: string;
  runtime: object;
  config: Record<string, ConfigEntry>;
};

/** The settings of a stack with modules, all in one record. */
function settingsOf(config: Record<string, string>, modules = ["members"]): Record<string, unknown> {
  pulumi.runtime.setAllConfig(config);
  const { monolith, ...shared } = readSettings(new pulumi.Config(PROJECT), { modules });
  return { ...shared, ...monolith };
}

/** As Pulumi gives it to the program. An encrypted value is valid for all that can be seen here. */
function readableText(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return String(value);
  return "secure" in value ? undefined : JSON.stringify(value);
}

const defaults = Object.fromEntries(
  Object.entries(settingsOf(inNamespace(REQUIRED_CONFIG))).filter(([name]) => !(name in REQUIRED_CONFIG)),
);

test("The project is this program, compiled by Pulumi itself", () => {
  expect(project.name).toBe(PROJECT);
  expect(existsSync(join(root, project.main))).toBe(true);
  expect(project.runtime).toEqual({ name: "nodejs", options: { typescript: true } });
});

// A setting without a default cannot be declared: the CLI would demand it of a stack that does not need it.
test("Pulumi.yaml declares every setting that has a default, and the same one", () => {
  const declared = Object.entries(project.config).map(([name, entry]) => [name, entry.default]);
  expect(Object.fromEntries(declared)).toEqual(defaults);
});

test("Every setting has the type that the program reads, and is described", () => {
  const typeOf = (value: unknown) => (typeof value === "number" ? "integer" : typeof value);
  for (const [name, { type, description }] of Object.entries(project.config)) {
    expect(type, name).toBe(typeOf(defaults[name]));
    expect(description, name).toMatch(/[^.]$/);
  }
});

test("The configuration of every stack in the project is valid and complete", () => {
  const required = inNamespace(REQUIRED_CONFIG);
  for (const file of readdirSync(root).filter((name) => /^Pulumi\..+\.yaml$/.test(name))) {
    const { config } = parse(readFileSync(join(root, file), "utf8")) as { config: Record<string, unknown> };
    expect(Object.keys(config), file).toContain("aws:region");
    const own = Object.entries(config).filter(([name]) => name.startsWith(`${PROJECT}:`));
    const readable = own.map(([name, value]) => [name, readableText(value) ?? required[name]]);
    const modules = REGISTERED.registry.modules.map(({ name }) => name);
    const settings = settingsOf(Object.fromEntries(readable), modules);
    if (modules.length > 0)
      expect(Object.keys(settings), file).toEqual(expect.arrayContaining(Object.keys(REQUIRED_CONFIG)));
  }
});
