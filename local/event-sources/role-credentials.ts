import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import { codedError } from "../../runtime/coded-error";

/** Credentials that the SDK's clients renew by themselves before they expire. */
export type RenewedCredentials = () => Promise<{
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: Date;
}>;

/**
 * Credentials of a function's own role, so that a permission that it lacks is refused here as on AWS, where Lambda reads an event source
 * "using your function's execution role". The emulator lets the account's root user assume a role whose trust policy names a service,
 * since its own services act as root; a role that trusts no service is refused (MiniStack, core/iam_evaluator.py). It does not tell one
 * service from another: that the role trusts lambda.amazonaws.com is not checked here.
 *
 * @param sts signs as root
 */
export function roleCredentials(sts: STSClient, roleArn: string, functionName: string): RenewedCredentials {
  return async () => {
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: functionName.slice(0, 64) }),
    );
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
      throw codedError(
        "ROLE_SESSION_INCOMPLETE",
        `The emulator's answer to AssumeRole of "${roleArn}" holds no credentials.`,
      );
    }
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration,
    };
  };
}
