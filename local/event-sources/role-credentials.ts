import type { KinesisClient } from "@aws-sdk/client-kinesis";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import { codedError } from "../../runtime/function/coded-error";

/** Credentials that the SDK's clients renew by themselves before they expire. */
export type RenewedCredentials = () => Promise<{
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: Date;
}>;

/** How services say that they do not know a session: an emulator that was started again has forgotten them. */
const UNKNOWN_SESSION = ["InvalidClientTokenId", "UnrecognizedClientException", "ExpiredTokenException"];

/** Has a client assume its role anew when its session is refused, so that the next call is made with another one. */
export function renewingRefusedSession<C extends SQSClient | KinesisClient>(client: C): C {
  // The middleware looks at neither input nor output, in which the clients' types differ.
  const stack = client.middlewareStack as SQSClient["middlewareStack"];
  stack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (UNKNOWN_SESSION.includes((error as Error).name)) {
          await client.config.credentials({ forceRefresh: true }).catch(() => undefined);
        }
        throw error;
      }
    },
    { step: "initialize", name: "renewingRefusedSession" },
  );
  return client;
}

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
