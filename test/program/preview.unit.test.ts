import "../support/program/unpackaged";
import { describe, expect, test } from "vitest";
import { ALL_DOMAINS } from "../support/program/domain-sources";
import { type Deployment, packageOf } from "../support/program/mocks";
import { deployProgram } from "../support/program/whole-program";

/** How Pulumi marks what is not known yet on its way to the engine. Source: Pulumi's SDK, runtime/rpc. */
const UNKNOWN_MARK = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const programs: { name: string; preview: Deployment; created: Deployment }[] = [];
for (const domains of ALL_DOMAINS) {
  const preview = await deployProgram({ preview: true }, domains);
  programs.push({ name: domains.name, preview, created: await deployProgram({}, domains) });
}

describe.each(programs)("A first preview of $name, where nothing is created yet,", ({ preview, created }) => {
  test("declares the same resources as the deployment that follows", () => {
    expect(preview.declared.map(({ urn }) => urn)).toEqual(created.declared.map(({ urn }) => urn));
  });

  test("has every function's package", async () => {
    for (const lambda of preview.ofType("aws:lambda/function:Function")) {
      const deployed = created.one("aws:lambda/function:Function", lambda.name);
      expect(await packageOf(lambda), lambda.name).toBe(await packageOf(deployed));
    }
  });
});

test("A first preview knows what does not depend on created resources, and leaves open what does", () => {
  const { preview, created } = programs[0]!;
  const { inputs, wire } = preview.one("aws:lambda/function:Function", "loans-commands");
  expect(inputs).toMatchObject({ runtime: "nodejs24.x", timeout: 30 });
  expect(JSON.parse(wire)).toMatchObject({
    role: UNKNOWN_MARK,
    environment: { variables: { OUTBOX_RETENTION_DAYS: "30", ENTITY_TABLES: UNKNOWN_MARK } },
  });
  const { eventPattern } = preview.one("aws:cloudwatch/eventRule:EventRule", "loans-on-members-rule").inputs;
  expect(eventPattern).toBe(
    created.one("aws:cloudwatch/eventRule:EventRule", "loans-on-members-rule").inputs.eventPattern,
  );
});
