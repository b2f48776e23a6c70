import { CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import type * as aws from "@pulumi/aws";
import { arnOf, hexDigits, policyText, resourceKind } from "../resource-kind";

export const role = resourceKind<aws.iam.RoleArgs>({
  type: "aws:iam/role:Role",
  naming: { input: "name", limit: 64 },
  effective: ["assumeRolePolicy"],
  identify: (resource, scope) => ({
    id: resource.physicalName,
    outputs: {
      arn: arnOf(scope, "iam", `role/${resource.physicalName}`),
      assumeRolePolicy: policyText(resource.inputs.assumeRolePolicy),
      uniqueId: `AROA${hexDigits(resource, 17).toUpperCase()}`,
    },
  }),
  create: async ({ physicalName: RoleName, inputs }, _identified, { iam }) => {
    const AssumeRolePolicyDocument = policyText(inputs.assumeRolePolicy);
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    return { arn: Role?.Arn, uniqueId: Role?.RoleId };
  },
});

export const rolePolicy = resourceKind<aws.iam.RolePolicyArgs>({
  type: "aws:iam/rolePolicy:RolePolicy",
  naming: { input: "name", limit: 128 },
  effective: ["policy", "role"],
  identify: ({ physicalName, inputs }) => ({
    id: `${inputs.role}:${physicalName}`,
    outputs: { policy: policyText(inputs.policy), role: inputs.role },
  }),
  create: async ({ physicalName: PolicyName, inputs }, _identified, { iam }) => {
    // A role may be given as a resource: it has become its id by now, which is its name.
    const RoleName = String(inputs.role);
    const PolicyDocument = policyText(inputs.policy);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
  },
});
