import { CreateSecretCommand } from "@aws-sdk/client-secrets-manager";
import type * as aws from "@pulumi/aws";
import { hexDigits } from "../physical-name";
import { arnOf, resourceKind, tagList } from "../resource-kind";

export const secret = resourceKind<aws.secretsmanager.SecretArgs>({
  type: "aws:secretsmanager/secret:Secret",
  naming: { input: "name", limit: 512 },
  effective: ["name", "description", "forceOverwriteReplicaSecret", "recoveryWindowInDays", "tags"],
  ineffective: { kmsKeyId: "the emulator encrypts nothing." },
  identify: (resource, scope) => {
    // Secrets Manager adds six characters to the name in the ARN.
    const arn = arnOf(scope, "secretsmanager", `secret:${resource.physicalName}-${hexDigits(resource, 6)}`);
    return { id: arn, outputs: { arn } };
  },
  create: async ({ physicalName, inputs }, _identified, { secrets }) => {
    const { ARN } = await secrets.send(
      new CreateSecretCommand({
        Name: physicalName,
        Description: inputs.description,
        Tags: tagList(inputs.tags),
      }),
    );
    return { id: ARN, arn: ARN };
  },
});
