import "../../../support/program/unpackaged";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, test } from "vitest";
import type { DeployedResource, Deployment } from "../../../../dist/local/provision/deployment.js";
import { deploymentOf } from "../../../../dist/local/provision/deployment.js";
import {
  checkUnenforcedPermissions,
  NOT_ENFORCED,
} from "../../../../dist/local/provision/permissions/check-permissions.js";
import { planProgram } from "../../../../dist/local/provision/plan.js";
import { loadProgram } from "../../../../dist/local/system/program.js";
import { FIXTURE_DOMAINS } from "../../../../dist/test/fixtures/source.js";
import { FULL_CONFIG } from "../../../support/program/stack-config";

// The whole program of the fixture domains, in a private network; each test takes one permission away.
const plan = await planProgram({
  program: () => loadProgram(FIXTURE_DOMAINS),
  project: "domain-consistency",
  stack: "test",
  config: { ...FULL_CONFIG, "aws:region": "eu-central-1" },
});

interface Statement {
  Sid: string;
  Action: string | string[];
}

/** The plan with another state of some resources. */
function changed(change: (resource: DeployedResource) => Record<string, unknown>): Deployment {
  const resources = plan.resources.map((resource) => ({
    ...resource,
    state: { ...resource.state, ...change(resource) },
  }));
  return deploymentOf(plan.outputs, resources, plan.differences);
}

/** The plan without an action in one role's policy. */
function without(policyName: string, action: string): Deployment {
  return changed(({ name, type, state }) => {
    if (type !== "aws:iam/rolePolicy:RolePolicy" || name !== policyName) return {};
    const document = JSON.parse(String(state["policy"])) as { Statement: Statement[] };
    const Statement = document.Statement.map((statement) => ({
      ...statement,
      Action: [statement.Action].flat().filter((one) => one !== action),
    }));
    return { policy: JSON.stringify({ ...document, Statement }) };
  });
}

/** The plan in which one role trusts another service. */
function trusting(roleName: string, Service: string): Deployment {
  const Statement = [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service } }];
  return changed(({ name, type }) =>
    type === "aws:iam/role:Role" && name === roleName
      ? { assumeRolePolicy: JSON.stringify({ Statement }) }
      : {},
  );
}

test("The page on what is not verified lists what is checked here, and PutEvents", () => {
  const page = readFileSync(join(__dirname, "..", "..", "..", "..", "docs", "unverified.md"), "utf8");
  const [, section = ""] = page.split("### What the emulator does not enforce");
  const rows = [...section.matchAll(/^\| (?!What|-)(.*?) +\|/gm)].map(([, what]) => what);
  expect(rows).toEqual([
    ...NOT_ENFORCED.map(({ what }) => what),
    "PutEvents: the sources of the entries (`events:source`)",
  ]);
});

const findings = (deployment: Deployment) => NOT_ENFORCED.flatMap(({ check }) => check(deployment));

it("The program has all permissions that the emulator does not check", () => {
  expect(findings(plan)).toEqual([]);
  expect(() => checkUnenforcedPermissions(plan)).not.toThrow();
});

it.each(["logs:CreateLogStream", "logs:PutLogEvents"])(
  "A function that may not write its log (%s) is found",
  (action) => {
    const [role, lambda] = ["loans-relay-role", "loans-relay"];
    expect(findings(without("loans-relay-policy", action))).toEqual([
      `role "${role}" may not write the log of function "${lambda}" (${action})`,
    ]);
  },
);

it.each([
  ["monolith-relay", "kinesis:DescribeStreamSummary"],
  ["monolith-relay", "kinesis:ListShards"],
  ["loans-relay", "dynamodb:ListStreams"],
  ["loans-on-members", "sqs:GetQueueAttributes"],
  ["members-on-counted", "sqs:DeleteMessage"],
])("The mapping of %s without %s is found, which AWS would not create", (name, action) => {
  expect(findings(without(`${name}-policy`, action))).toEqual([
    `role "${name}-role" may not read the source of mapping "${name}-source" (${action})`,
  ]);
});

it.each([
  "ec2:DescribeSubnets",
  "ec2:CreateNetworkInterface",
  "ec2:AssignPrivateIpAddresses",
  "ec2:DeleteNetworkInterface",
])("A function that Lambda cannot attach to its network (%s) is found", (action) => {
  expect(findings(without("members-commands-policy", action))).toEqual(
    ["subnet-0a1", "subnet-0b2"].map(
      (id) =>
        `role "members-commands-role" does not let Lambda attach function "members-commands" to subnet "${id}" (${action})`,
    ),
  );
});

it("A function whose role trusts another service is found", () => {
  expect(findings(trusting("loans-commands-role", "edgelambda.amazonaws.com"))).toEqual([
    'role "loans-commands-role" does not trust Lambda, so function "loans-commands" cannot assume it',
  ]);
});

it("An endpoint of DMS whose role trusts another service is found, the Region's own included", () => {
  expect(findings(trusting("monolith-source-role", "dms.amazonaws.com"))).toEqual([
    'role "monolith-source-role" does not trust dms.eu-central-1.amazonaws.com, so endpoint "monolith-source" cannot assume it',
  ]);
  expect(findings(trusting("monolith-target-role", "lambda.amazonaws.com"))).toEqual([
    'role "monolith-target-role" does not trust dms.amazonaws.com, so endpoint "monolith-target" cannot assume it',
  ]);
});

it.each([
  ["source", "secretsmanager:DescribeSecret"],
  ["source", "secretsmanager:GetSecretValue"],
  ["target", "kinesis:PutRecord"],
  ["target", "kinesis:DescribeStream"],
])("An endpoint of DMS (%s) whose role does not allow %s is found", (end, action) => {
  expect(findings(without(`monolith-${end}-policy`, action))).toEqual([
    `role "monolith-${end}-role" does not allow what endpoint "monolith-${end}" does (${action})`,
  ]);
});

it("A queue whose policy does not let one of several rules send is found", () => {
  const deployment = changed(({ name, state }) =>
    name === "unclaimed-queue-policy"
      ? {
          policy: String(state["policy"]).replace(
            /"arn:aws:events:[^"]*unclaimed-of-loans-rule[^"]*"/,
            '"arn:none"',
          ),
        }
      : {},
  );
  expect(findings(deployment)).toEqual([
    'the policy of queue "unclaimed-queue" does not let rule "unclaimed-of-loans-rule" send (sqs:SendMessage)',
  ]);
});
