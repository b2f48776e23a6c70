import { AddPermissionCommand } from "@aws-sdk/client-lambda";
import type * as aws from "@pulumi/aws";
import { resourceKind } from "../resource-kind";

export const functionPermission = resourceKind<aws.lambda.PermissionArgs>({
  type: "aws:lambda/permission:Permission",
  caveat: "the emulator invokes functions without asking for it; the provisioner checks it in its place.",
  naming: { input: "statementId", limit: 100 },
  effective: ["action", "function", "principal", "qualifier", "sourceAccount", "sourceArn", "statementId"],
  identify: ({ physicalName }) => ({ id: physicalName, outputs: {} }),
  create: async ({ physicalName, inputs }, _identified, { lambda }) => {
    await lambda.send(
      new AddPermissionCommand({
        // A function may be given as a resource: it has become its id by now, which is its name.
        FunctionName: String(inputs.function),
        StatementId: physicalName,
        Action: inputs.action,
        Principal: inputs.principal,
        Qualifier: inputs.qualifier,
        SourceAccount: inputs.sourceAccount,
        SourceArn: inputs.sourceArn,
      }),
    );
  },
});
