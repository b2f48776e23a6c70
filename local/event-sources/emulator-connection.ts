import { Agent } from "node:http";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { IAMClient } from "@aws-sdk/client-iam";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { STSClient } from "@aws-sdk/client-sts";
import { codedError } from "../../runtime/function/coded-error";
import { renewingRefusedSession, roleCredentials, type RenewedCredentials } from "./role-credentials";

/** Where the emulator answers. */
export interface EmulatorAddress {
  /** E.g. "http://127.0.0.1:4566". */
  endpoint: string;
  region: string;
}

/** The function of a mapping, as deployed. */
export interface MappedFunction {
  arn: string;
  roleArn: string;
}

/** An event source's connection to the emulator; its clients share kept-alive connections. */
export interface EmulatorConnection {
  /** Clients that sign as the account's root user, in the place of the AWS services themselves. */
  root: { lambda: LambdaClient; sqs: SQSClient; iam: IAMClient; dynamodbStreams: DynamoDBStreamsClient };
  /** Looks the function up. Rejects with the SDK's ResourceNotFoundException while it does not exist. */
  findFunction(functionName: string, qualifier?: string): Promise<MappedFunction>;
  /** A client that signs as the function's role. */
  queueClient(role: MappedFunction, functionName: string): SQSClient;
  /** A client that signs as the function's role. */
  kinesisClient(role: MappedFunction, functionName: string): KinesisClient;
  /** Closes all connections. */
  close(): void;
}

/** The account's root user, to whom the emulator allows everything. */
const ROOT_CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" };

/** Connects to the emulator. Calls are not repeated by the SDK: each loop here has its own way to go on after an error. */
export function connectEmulator({ endpoint, region }: EmulatorAddress): EmulatorConnection {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: 64 });
  // A copy for each client, since a client adds its own middleware to what it is given.
  const options = () => ({ endpoint, region, maxAttempts: 1, requestHandler: { httpAgent } });
  const asRoot = () => ({ ...options(), credentials: ROOT_CREDENTIALS });
  const sts = new STSClient(asRoot());
  // A queue's URL may name the emulator's host in another way than `endpoint`.
  const queueOptions = { useQueueUrlAsEndpoint: false };
  const root = {
    lambda: new LambdaClient(asRoot()),
    sqs: new SQSClient({ ...asRoot(), ...queueOptions }),
    iam: new IAMClient(asRoot()),
    dynamodbStreams: new DynamoDBStreamsClient(asRoot()),
  };
  const credentialsOf = (role: MappedFunction, functionName: string): RenewedCredentials =>
    roleCredentials(sts, role.roleArn, functionName);
  return {
    root,
    findFunction: async (functionName, qualifier) => {
      const found = await root.lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: functionName, Qualifier: qualifier }),
      );
      if (found.FunctionArn && found.Role) return { arn: found.FunctionArn, roleArn: found.Role };
      throw codedError("FUNCTION_WITHOUT_ROLE", `The function "${functionName}" has no role. Declare one.`);
    },
    queueClient: (role, functionName) =>
      renewingRefusedSession(
        new SQSClient({ ...options(), ...queueOptions, credentials: credentialsOf(role, functionName) }),
      ),
    kinesisClient: (role, functionName) =>
      // The SDK speaks HTTP/2 to Kinesis, which carries no Host header, and the emulator then finds the signature wrong; hence
      // another client's HTTP/1.1 handler.
      renewingRefusedSession(
        new KinesisClient({
          ...options(),
          requestHandler: root.lambda.config.requestHandler,
          credentials: credentialsOf(role, functionName),
        }),
      ),
    close: () => httpAgent.destroy(),
  };
}
