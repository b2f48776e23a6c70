import "../support/program/unpackaged";
import { describe, expect, test } from "vitest";
import { ALL_DOMAINS } from "../support/program/domain-sources";
import type { Declared } from "../support/program/mocks";
import { deployProgram } from "../support/program/whole-program";

// Pulumi creates and updates a resource only once everything that it depends on is created and updated.

const programs = [];
for (const domains of ALL_DOMAINS)
  programs.push({ ...domains, deployment: await deployProgram({}, domains) });

describe.each(programs)("With $name", ({ registry, deployment }) => {
  const byUrn = new Map(deployment.declared.map((declared) => [declared.urn, declared]));
  const named = (types: string[]) =>
    deployment.declared.filter(({ type }) => types.some((one) => type.endsWith(`:${one}`)));
  /** Everything that a resource waits for, directly and indirectly. */
  const awaited = (resource: Declared, seen = new Set<string>()): Set<string> => {
    for (const urn of resource.dependencies) {
      if (seen.has(urn)) continue;
      seen.add(urn);
      const dependency = byUrn.get(urn);
      if (dependency) awaited(dependency, seen);
    }
    return seen;
  };
  const missingFor = (resource: Declared, wanted: Declared[]) => {
    const waits = awaited(resource);
    return wanted.filter(({ urn }) => !waits.has(urn)).map(({ name }) => `${resource.name} before ${name}`);
  };
  const subscribedRoutes = [...named(["EventRule", "EventTarget", "QueuePolicy"])].filter(
    ({ name }) => !name.startsWith("monolith-retention"),
  );
  const routes = [...subscribedRoutes, ...named(["Queue"]).filter(({ name }) => /-(queue|dlq)$/.test(name))];

  test("no relay reads its stream before all rules, queues, policies and targets of the stack stand", () => {
    const mappings = named(["EventSourceMapping"]).filter(({ name }) => name.endsWith("-relay-source"));
    expect(mappings).toHaveLength(registry.microservices.length + (registry.modules.length > 0 ? 1 : 0));
    expect(mappings.flatMap((mapping) => missingFor(mapping, routes))).toEqual([]);
  });

  test("no function that raises events is updated before all rules, queues, policies and targets", () => {
    const reactions = registry.all.flatMap(({ name, subscriptions }) =>
      Object.entries(subscriptions)
        .filter(([, { kind }]) => kind === "react")
        .map(([subscription]) => `${name}-on-${subscription}`),
    );
    const raising = [...reactions, ...registry.all.map(({ name }) => `${name}-commands`)];
    const functions = raising.map((name) => deployment.one("aws:lambda/function:Function", name));
    expect(functions.flatMap((one) => missingFor(one, routes))).toEqual([]);
  });

  test("no rule for unclaimed events is updated before the targets of all subscriptions", () => {
    const unclaimed = named(["EventRule"]).filter(({ name }) => name.startsWith("unclaimed"));
    const targets = named(["EventTarget"]).filter(({ name }) => /-on-[A-Za-z0-9]+-target$/.test(name));
    expect(unclaimed.length).toBeGreaterThan(0);
    expect(unclaimed.flatMap((rule) => missingFor(rule, targets))).toEqual([]);
  });
});
