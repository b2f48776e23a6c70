import { Agent } from "node:http";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { IAMClient } from "@aws-sdk/client-iam";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { STSClient } from "@aws-sdk/client-sts";
import { ROOT_CREDENTIALS } from "../servers/emulator/emulator";

const MOST_CONNECTIONS = 32;
/** A program declares hundreds of resources at once, so requests wait for a connection; no need to warn of it. */
const WARN_OF_WAITING_AFTER_MILLISECONDS = 60_000;

/** One client a service, all on the same kept-alive connections. */
export interface EmulatorClients {
  alarms: CloudWatchClient;
  logs: CloudWatchLogsClient;
  dynamodb: DynamoDBClient;
  events: EventBridgeClient;
  iam: IAMClient;
  kinesis: KinesisClient;
  lambda: LambdaClient;
  secrets: SecretsManagerClient;
  sqs: SQSClient;
  sts: STSClient;
  /** Closes the connections. */
  close(): void;
}

/** Clients of an AWS emulator, signing as the account's root user. */
export function emulatorClients(endpoint: string, region: string): EmulatorClients {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS });
  const sts = new STSClient({
    endpoint,
    region,
    credentials: ROOT_CREDENTIALS,
    requestHandler: { httpAgent, socketAcquisitionWarningTimeout: WARN_OF_WAITING_AFTER_MILLISECONDS },
  });
  // The same connections for all, and HTTP/1.1 for Kinesis too, whose client speaks HTTP/2 by default.
  const { requestHandler } = sts.config;
  const options = () => ({ endpoint, region, credentials: ROOT_CREDENTIALS, requestHandler });
  return {
    alarms: new CloudWatchClient(options()),
    logs: new CloudWatchLogsClient(options()),
    dynamodb: new DynamoDBClient(options()),
    events: new EventBridgeClient(options()),
    iam: new IAMClient(options()),
    kinesis: new KinesisClient(options()),
    lambda: new LambdaClient(options()),
    secrets: new SecretsManagerClient(options()),
    sqs: new SQSClient(options()),
    sts,
    close: () => sts.destroy(),
  };
}
