import type { DeployedResource, Deployment } from "../provision/deployment";

/** A function of the program, as a reviewer wants to see it. */
export interface PlannedFunction {
  name: string;
  /** Size of its package, zipped. */
  packageBytes: number;
  statements: unknown[];
}

const FUNCTION_TYPE = "aws:lambda/function:Function";
const POLICY_TYPE = "aws:iam/rolePolicy:RolePolicy";

/** The functions of a plan with what they may do. */
export function plannedFunctions(plan: Deployment): PlannedFunction[] {
  return plan.byType(FUNCTION_TYPE).map(({ name, packageBytes = 0 }) => ({
    name,
    packageBytes,
    statements: statementsOf(plan, name),
  }));
}

function statementsOf(plan: Deployment, name: string): unknown[] {
  const policy = plan.byType(POLICY_TYPE).find((resource) => resource.name === `${name}-policy`);
  const document = JSON.parse(String(policy?.inputs["policy"] ?? "{}")) as { Statement?: unknown[] };
  return document.Statement ?? [];
}

/** The tree of resources, each function with its package size and statements. */
export function describePlan(plan: Deployment): string {
  const functions = new Map(plannedFunctions(plan).map((planned) => [planned.name, planned]));
  const children = new Map<string | undefined, DeployedResource[]>();
  for (const resource of plan.resources) {
    const parent = plan.resources.some(({ urn }) => urn === resource.parent) ? resource.parent : undefined;
    children.set(parent, [...(children.get(parent) ?? []), resource]);
  }
  const lines: string[] = [];
  const add = (resource: DeployedResource, indent: string) => {
    lines.push(`${indent}${resource.type}  ${resource.name}`);
    const planned = resource.type === FUNCTION_TYPE ? functions.get(resource.name) : undefined;
    if (planned) lines.push(...describeFunction(planned, `${indent}    `));
    for (const child of children.get(resource.urn) ?? []) add(child, `${indent}  `);
  };
  for (const resource of children.get(undefined) ?? []) add(resource, "");
  const total = plan.resources.filter(({ type }) => type.startsWith("aws:")).length;
  return [...lines, "", `${total} resources would be created.`].join("\n");
}

function describeFunction({ packageBytes, statements }: PlannedFunction, indent: string): string[] {
  const size = `${indent}package ${(packageBytes / 1024).toFixed(0)} KB zipped`;
  return [size, ...statements.map((statement) => `${indent}${describeStatement(statement)}`)];
}

function describeStatement(statement: unknown): string {
  const { Action, Resource, Condition } = statement as Record<string, unknown>;
  const condition = Condition ? ` if ${JSON.stringify(Condition)}` : "";
  return `may ${[Action].flat().join(", ")} on ${[Resource].flat().join(", ")}${condition}`;
}
