import { AttachRolePolicyCommand, CreateRoleCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import type * as aws from "@pulumi/aws";
import { hexDigits } from "../physical-name";
import { arnOf, policyText, resourceKind, tagList } from "../resource-kind";

export const role = resourceKind<aws.iam.RoleArgs>({
  type: "aws:iam/role:Role",
  naming: { input: "name", limit: 64 },
  effective: [
    "name",
    "assumeRolePolicy",
    "description",
    "forceDetachPolicies",
    "inlinePolicies",
    "managedPolicyArns",
    "maxSessionDuration",
    "path",
    "permissionsBoundary",
    "tags",
  ],
  identify: (resource, scope) => {
    const { physicalName, inputs } = resource;
    return {
      id: physicalName,
      outputs: {
        arn: arnOf(scope, "iam", `role${inputs.path ?? "/"}${physicalName}`),
        assumeRolePolicy: policyText(inputs.assumeRolePolicy),
        path: inputs.path ?? "/",
        uniqueId: `AROA${hexDigits(resource, 17).toUpperCase()}`,
      },
    };
  },
  create: async ({ physicalName: RoleName, inputs }, _identified, { iam }) => {
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: policyText(inputs.assumeRolePolicy),
        Description: inputs.description,
        MaxSessionDuration: inputs.maxSessionDuration,
        Path: inputs.path,
        PermissionsBoundary: inputs.permissionsBoundary,
        Tags: tagList(inputs.tags),
      }),
    );
    for (const PolicyArn of inputs.managedPolicyArns ?? []) {
      await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    }
    for (const { name: PolicyName, policy } of inputs.inlinePolicies ?? []) {
      await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: policyText(policy) }));
    }
    return { arn: Role?.Arn, uniqueId: Role?.RoleId };
  },
});
