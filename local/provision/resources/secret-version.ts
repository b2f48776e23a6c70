import { PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import type * as aws from "@pulumi/aws";
import { hexDigits } from "../physical-name";
import { resourceKind } from "../resource-kind";

export const secretVersion = resourceKind<aws.secretsmanager.SecretVersionArgs>({
  type: "aws:secretsmanager/secretVersion:SecretVersion",
  effective: ["secretId", "secretString", "secretBinary", "versionStages"],
  identify: (resource) => {
    const versionId = hexDigits(resource, 32);
    return {
      id: `${resource.inputs.secretId}|${versionId}`,
      outputs: { arn: resource.inputs.secretId, versionId },
    };
  },
  create: async ({ inputs }, _identified, { secrets }) => {
    const { ARN, VersionId, VersionStages } = await secrets.send(
      new PutSecretValueCommand({
        SecretId: inputs.secretId,
        SecretString: inputs.secretString,
        SecretBinary:
          inputs.secretBinary === undefined ? undefined : Buffer.from(inputs.secretBinary, "base64"),
        VersionStages: inputs.versionStages,
      }),
    );
    return {
      id: `${inputs.secretId}|${VersionId}`,
      arn: ARN,
      versionId: VersionId,
      versionStages: VersionStages,
    };
  },
});
