import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import type * as aws from "@pulumi/aws";
import { policyText, resourceKind } from "../resource-kind";

export const rolePolicy = resourceKind<aws.iam.RolePolicyArgs>({
  type: "aws:iam/rolePolicy:RolePolicy",
  naming: { input: "name", limit: 128 },
  effective: ["name", "policy", "role"],
  identify: ({ physicalName, inputs }) => ({
    id: `${inputs.role}:${physicalName}`,
    outputs: { policy: policyText(inputs.policy), role: inputs.role },
  }),
  create: async ({ physicalName, inputs }, _identified, { iam }) => {
    await iam.send(
      new PutRolePolicyCommand({
        // A role may be given as a resource: it has become its id by now, which is its name.
        RoleName: String(inputs.role),
        PolicyName: physicalName,
        PolicyDocument: policyText(inputs.policy),
      }),
    );
  },
});
