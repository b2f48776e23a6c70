import { Agent } from "node:http";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { IAMClient } from "@aws-sdk/client-iam";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { codedError } from "../../runtime/function/coded-error";
import { ROOT_CREDENTIALS } from "../servers/emulator/emulator";

/** Where the emulator answers. */
export interface EmulatorAddress {
  /** E.g. "http://127.0.0.1:4566". */
  endpoint: string;
  region: string;
}

/** An event source's connection to the emulator; its clients share connections that are kept alive. */
export type EmulatorConnection = ReturnType<typeof connectEmulator>;

/** Connects to the emulator. The SDK does not repeat calls: each loop here handles errors in its own way. */
export function connectEmulator({ endpoint, region }: EmulatorAddress) {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: 64 });
  // A copy for each client, since a client adds its own middleware to what it is given.
  const options = () => ({ endpoint, region, maxAttempts: 1, requestHandler: { httpAgent } });
  const asRoot = () => ({ ...options(), credentials: ROOT_CREDENTIALS });
  const sts = new STSClient(asRoot());
  // A queue's URL may name the emulator's host differently than `endpoint`.
  const queueOptions = { useQueueUrlAsEndpoint: false };
  const root = {
    lambda: new LambdaClient(asRoot()),
    sqs: new SQSClient({ ...asRoot(), ...queueOptions }),
    iam: new IAMClient(asRoot()),
    dynamodbStreams: new DynamoDBStreamsClient(asRoot()),
  };
  return {
    /** Clients that sign as the account's root user, in place of the AWS services themselves. */
    root,
    /** The ARN of the role. Rejects with the SDK's ResourceNotFoundException if the function does not exist. */
    roleOf: async (functionName: string): Promise<string> => {
      const { Role } = await root.lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: functionName }),
      );
      if (Role) return Role;
      throw codedError("FUNCTION_WITHOUT_ROLE", `The function "${functionName}" has no role. Declare one.`);
    },
    /** A client that signs as the function's role. */
    queueClient: (roleArn: string, functionName: string): SQSClient => {
      const credentials = roleCredentials(sts, roleArn, functionName);
      return renewingRefusedSession(new SQSClient({ ...options(), ...queueOptions, credentials }));
    },
    /** A client that signs as the function's role. */
    kinesisClient: (roleArn: string, functionName: string): KinesisClient => {
      const credentials = roleCredentials(sts, roleArn, functionName);
      // The SDK speaks HTTP/2 to Kinesis, which carries no Host header, and the emulator then takes the signature for
      // wrong. So this uses the HTTP/1.1 handler of another client.
      const { requestHandler } = root.lambda.config;
      return renewingRefusedSession(new KinesisClient({ ...options(), requestHandler, credentials }));
    },
    close: () => httpAgent.destroy(),
  };
}

/**
 * Credentials of a function's own role, so that a missing permission is refused here as on AWS, where Lambda reads an
 * event source "using your function's execution role". The SDK's clients renew them before they expire.
 *
 * The emulator lets the account's root user assume a role whose trust policy names a service, since its own
 * services act as root; it refuses a role that trusts no service (MiniStack, core/iam_evaluator.py). It does not
 * tell one service from another: that the role trusts lambda.amazonaws.com is not checked here.
 *
 * @param sts signs as root
 */
export function roleCredentials(sts: STSClient, roleArn: string, functionName: string) {
  return async () => {
    const { Credentials: session } = await sts.send(
      new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: functionName.slice(0, 64) }),
    );
    if (session?.AccessKeyId && session.SecretAccessKey && session.SessionToken && session.Expiration) {
      return {
        accessKeyId: session.AccessKeyId,
        secretAccessKey: session.SecretAccessKey,
        sessionToken: session.SessionToken,
        expiration: session.Expiration,
      };
    }
    throw codedError(
      "ROLE_SESSION_INCOMPLETE",
      `The emulator's answer to AssumeRole of "${roleArn}" has no credentials.`,
    );
  };
}

/** How services report an unknown session: an emulator that was restarted has forgotten them. */
const UNKNOWN_SESSION = ["InvalidClientTokenId", "UnrecognizedClientException", "ExpiredTokenException"];

/** Makes a client assume its role again when its session is refused, so that the next call uses a new session. */
export function renewingRefusedSession<C extends SQSClient | KinesisClient>(client: C): C {
  // The middleware uses neither input nor output, in which the clients' types differ.
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
