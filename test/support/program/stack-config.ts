/** Project and stack of every deployment in the tests. */
export const PROJECT = "domain-consistency";
export const STACK = "dev";

/** Region and account of the deployed resources. */
export const REGION = "eu-central-1";
export const ACCOUNT = "111122223333";

/** ARN of the secret with a login. */
export const secretArnOf = (login: string) =>
  `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:library/${login}-AbCdEf`;

/** A secret for each module, as Pulumi gives the setting to the program. */
export const secretsOf = (modules: readonly string[]) =>
  JSON.stringify(Object.fromEntries(modules.map((module) => [module, secretArnOf(module)])));

/** The required settings of a stack with the module of the fixture domains. */
export const REQUIRED_CONFIG = {
  databaseHost: "monolith.example.internal",
  databaseName: "library",
  moduleSecretArns: secretsOf(["members"]),
  captureSecretArn: secretArnOf("capture"),
  retentionSecretArn: secretArnOf("retention"),
  captureStartPosition: "2/7C007178",
} as const;

/** Every setting, none with its default, so that a value that is not passed on shows. */
export const FULL_CONFIG = {
  ...REQUIRED_CONFIG,
  databasePort: "6432",
  databaseTls: "verify-full",
  subnetIds: "subnet-0a1, subnet-0b2",
  securityGroupIds: "sg-0c3",
  streamShards: "3",
  streamRetentionHours: "48",
  replicationInstanceClass: "dms.c6i.large",
  outboxRetentionDays: "45",
  logRetentionDays: "14",
  deletionProtection: "false",
  alarmTopicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:alarms`,
} as const;

/** Configuration with the full keys that Pulumi passes to a program. */
export function inNamespace(config: Record<string, string>, project = PROJECT): Record<string, string> {
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [`${project}:${name}`, value]));
}
