import { describe, expect, test } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { readSettings } from "../../dist/components/settings.js";
import {
  FULL_CONFIG,
  inNamespace,
  PROJECT,
  REQUIRED_CONFIG,
  secretArnOf,
  secretsOf,
} from "../support/program/stack-config";

function settingsOf(config: Record<string, string>) {
  pulumi.runtime.setAllConfig(inNamespace(config));
  const { monolith, ...shared } = readSettings(new pulumi.Config(PROJECT), { modules: ["members"] });
  if (!monolith) throw new Error("The settings of the monolith are missing.");
  return { ...shared, ...monolith };
}

function errorOf(config: Record<string, string>): unknown {
  try {
    settingsOf(config);
  } catch (error) {
    return error;
  }
  throw new Error("The settings were accepted.");
}

test("What is not configured has its default", () => {
  expect(settingsOf(REQUIRED_CONFIG)).toEqual({
    ...REQUIRED_CONFIG,
    moduleSecretArns: { members: secretArnOf("members") },
    databasePort: 5432,
    databaseTls: "verify-full",
    streamShards: 1,
    streamRetentionHours: 168,
    replicationInstanceClass: "dms.t3.micro",
    outboxRetentionDays: 30,
    logRetentionDays: 30,
    deletionProtection: true,
  });
});

test("What is configured is read, as numbers and booleans where it is one", () => {
  expect(settingsOf(FULL_CONFIG)).toEqual({
    ...FULL_CONFIG,
    moduleSecretArns: { members: secretArnOf("members") },
    databasePort: 6432,
    subnetIds: ["subnet-0a1", "subnet-0b2"],
    securityGroupIds: ["sg-0c3"],
    streamShards: 3,
    streamRetentionHours: 48,
    outboxRetentionDays: 45,
    logRetentionDays: 14,
    deletionProtection: false,
  });
});

test("Everything that is missing is reported at once, with the command that sets it", () => {
  const error = errorOf({});
  expect(pulumi.RunError.isInstance(error)).toBe(true);
  expect((error as Error).message).toBe(
    [
      "The configuration of this stack has 6 fault(s):",
      "  domain-consistency:databaseHost is not set. Set it with: pulumi config set databaseHost <value>",
      "  domain-consistency:databaseName is not set. Set it with: pulumi config set databaseName <value>",
      "  domain-consistency:captureSecretArn is not set. Set it with: pulumi config set captureSecretArn <value>",
      "  domain-consistency:retentionSecretArn is not set. Set it with: pulumi config set retentionSecretArn <value>",
      "  domain-consistency:captureStartPosition is not set. `npm run migrate` prints it. Set it with: pulumi config set captureStartPosition <value>",
      '  domain-consistency:moduleSecretArns has no secret of module "members". Create its login and secret (docs/deploying.md), and set it with: pulumi config set --path moduleSecretArns.members <arn>',
    ].join("\n"),
  );
});

test("Everything that is missing or wrong is reported in one error, with the value and what it should be", () => {
  const error = errorOf({
    databaseHost: "",
    databasePort: "70000",
    databaseName: "Shop-DB",
    databaseTls: "yes",
    subnetIds: "subnet-1,10.0.0.0/24",
    securityGroupIds: "sg-1,",
    moduleSecretArns: '{"members":"my-secret"}',
    captureStartPosition: "0/0",
    streamShards: "0",
    streamRetentionHours: "23",
    replicationInstanceClass: "t3.micro",
    outboxRetentionDays: "a month",
    logRetentionDays: "1.5",
    deletionProtection: "perhaps",
    alarmTopicArn: "arn:aws:sqs:eu-central-1:111122223333:alarms",
  });
  const message = (error as Error).message.replace(
    / Set it with: pulumi config set (\S+) <value>$/gm,
    " -> $1",
  );
  expect(message.split("\n")).toEqual([
    "The configuration of this stack has 17 fault(s):",
    '  domain-consistency:databaseHost is "": must be a host name, without a port. -> databaseHost',
    '  domain-consistency:databasePort is "70000": Too big: expected number to be <=65535. -> databasePort',
    '  domain-consistency:databaseName is "Shop-DB": must be lower case letters, digits and _, 56 at most. -> databaseName',
    '  domain-consistency:databaseTls is "yes": Invalid option: expected one of "verify-full"|"disable". -> databaseTls',
    '  domain-consistency:subnetIds is "subnet-1,10.0.0.0/24": must be ids that start with "subnet-", separated by commas. -> subnetIds',
    '  domain-consistency:securityGroupIds is "sg-1,": must be ids that start with "sg-", separated by commas. -> securityGroupIds',
    '  domain-consistency:moduleSecretArns.members is "my-secret": must be an ARN of secretsmanager. Set it with: pulumi config set --path moduleSecretArns.members <value>',
    "  domain-consistency:captureSecretArn is not set. -> captureSecretArn",
    "  domain-consistency:retentionSecretArn is not set. -> retentionSecretArn",
    '  domain-consistency:captureStartPosition is "0/0": must be a position in the log, e.g. "2/7C007178". `npm run migrate` prints it. -> captureStartPosition',
    '  domain-consistency:streamShards is "0": Too small: expected number to be >=1. -> streamShards',
    '  domain-consistency:streamRetentionHours is "23": Too small: expected number to be >=24. -> streamRetentionHours',
    '  domain-consistency:replicationInstanceClass is "t3.micro": must be a class of AWS DMS, e.g. "dms.t3.micro". -> replicationInstanceClass',
    '  domain-consistency:outboxRetentionDays is "a month": Invalid input: expected number, received NaN. -> outboxRetentionDays',
    expect.stringMatching(
      /^ {2}domain-consistency:logRetentionDays is "1.5": must be one of .* -> logRetentionDays$/,
    ),
    expect.stringMatching(
      /^ {2}domain-consistency:deletionProtection is "perhaps": .* -> deletionProtection$/,
    ),
    '  domain-consistency:alarmTopicArn is "arn:aws:sqs:eu-central-1:111122223333:alarms": must be an ARN of sns. -> alarmTopicArn',
  ]);
});

describe("Each module has a login, and so a secret, of its own:", () => {
  const modules = ["catalog", "members"];
  const faultsOf = (config: Record<string, string>) => {
    try {
      pulumi.runtime.setAllConfig(inNamespace({ ...REQUIRED_CONFIG, ...config }));
      readSettings(new pulumi.Config(PROJECT), { modules });
      return [];
    } catch (error) {
      return (error as Error).message.split("\n").slice(1);
    }
  };
  const secrets = { catalog: secretArnOf("catalog"), members: secretArnOf("members") };

  test("with one for each, nothing is missing", () => {
    expect(faultsOf({ moduleSecretArns: secretsOf(modules) })).toEqual([]);
  });

  test("a module without a secret is named, with the command that sets it", () => {
    expect(faultsOf({ moduleSecretArns: secretsOf(["members"]) })).toEqual([
      '  domain-consistency:moduleSecretArns has no secret of module "catalog". Create its login and secret (docs/deploying.md), and set it with: pulumi config set --path moduleSecretArns.catalog <arn>',
    ]);
  });

  test("a secret of what is no module is refused, with the command that removes it", () => {
    expect(faultsOf({ moduleSecretArns: secretsOf([...modules, "member.s"]) })).toEqual([
      `  domain-consistency:moduleSecretArns has a secret of "member.s", but there is no such module; there are: catalog, members. Remove it with: pulumi config rm --path 'moduleSecretArns["member.s"]'`,
    ]);
  });

  test.each([
    ["another module", { ...secrets, members: secrets.catalog }, "members", "moduleSecretArns.catalog"],
    ["capture", { ...secrets, catalog: secretArnOf("capture") }, "catalog", "captureSecretArn"],
    ["retention", { ...secrets, catalog: secretArnOf("retention") }, "catalog", "retentionSecretArn"],
  ])("the secret of %s is refused", (_, given, module, holder) => {
    expect(faultsOf({ moduleSecretArns: JSON.stringify(given) })).toEqual([
      `  domain-consistency:moduleSecretArns.${module} is the secret of ${holder} too, but each has a login of its own (docs/deploying.md). Set it with: pulumi config set --path moduleSecretArns.${module} <arn>`,
    ]);
  });

  test.each([secrets.members, "[]", "null", '"text"', "{"])(
    "%s holds no secrets by module",
    (moduleSecretArns) => {
      expect(faultsOf({ moduleSecretArns })[0]).toBe(
        `  domain-consistency:moduleSecretArns is "${moduleSecretArns}": must have a value for each module. Set each with: pulumi config set --path moduleSecretArns.<module> <value>`,
      );
    },
  );

  test("the one login of all modules, of earlier versions, is refused", () => {
    const earlier = {
      applicationSecretArn: secretArnOf("application"),
      moduleSecretArns: secretsOf(modules),
    };
    expect(faultsOf(earlier)).toEqual([
      "  domain-consistency:applicationSecretArn is no longer a setting: each module has a login of its own, in moduleSecretArns (docs/deploying.md). Remove it with: pulumi config rm applicationSecretArn",
    ]);
  });
});

test("A stack without modules needs no setting of the monolith, and reads none", () => {
  pulumi.runtime.setAllConfig(inNamespace({ logRetentionDays: "7", streamShards: "none" }));
  expect(readSettings(new pulumi.Config(PROJECT), { modules: [] })).toEqual({
    outboxRetentionDays: 30,
    logRetentionDays: 7,
    deletionProtection: true,
    monolith: undefined,
  });
});

test("Logs are kept for one of the times that CloudWatch Logs takes", () => {
  const retention = (logRetentionDays: string) =>
    settingsOf({ ...REQUIRED_CONFIG, logRetentionDays }).logRetentionDays;
  expect([retention("1"), retention("3653")]).toEqual([1, 3653]);
  expect(() => retention("10")).toThrow(
    'domain-consistency:logRetentionDays is "10": must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653. Set it with: pulumi config set logRetentionDays <value>',
  );
});

test("A database name is as long as its replication slot's name allows, and no longer", () => {
  const longest = "d".repeat(56);
  expect(settingsOf({ ...REQUIRED_CONFIG, databaseName: longest }).databaseName).toBe(longest);
  expect(`${longest}_outbox`.length).toBeLessThanOrEqual(63);
  expect(() => settingsOf({ ...REQUIRED_CONFIG, databaseName: `${longest}d` })).toThrow("56 at most");
});

test("A private network has two subnets at least, and security groups", () => {
  const faults = (network: Record<string, string>) => String(errorOf({ ...REQUIRED_CONFIG, ...network }));
  expect(faults({ subnetIds: "subnet-1,subnet-1", securityGroupIds: "sg-1" })).toContain(
    'subnetIds is "subnet-1,subnet-1": must be two or more.',
  );
  expect(faults({ subnetIds: "subnet-1,subnet-2" })).toContain(
    "domain-consistency:securityGroupIds is not set, but subnetIds is. Set it with: pulumi config set securityGroupIds <value>",
  );
  expect(faults({ securityGroupIds: "sg-1" })).toContain(
    "domain-consistency:subnetIds is not set, but securityGroupIds is.",
  );
});

const withSetting = (name: string, value: string) => settingsOf({ ...REQUIRED_CONFIG, [name]: value });
const list = (kind: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${kind}-${(0x1000 + index).toString(16)}`).join();

test("A network has no more subnets and security groups than Lambda attaches a function to", () => {
  const network = (subnets: number, groups: number) =>
    settingsOf({
      ...REQUIRED_CONFIG,
      subnetIds: list("subnet", subnets),
      securityGroupIds: list("sg", groups),
    });
  expect(network(16, 5)).toMatchObject({ subnetIds: { length: 16 }, securityGroupIds: { length: 5 } });
  expect(
    settingsOf({
      ...REQUIRED_CONFIG,
      subnetIds: "subnet-1,subnet-2,subnet-1",
      securityGroupIds: "sg-1,sg-1",
    }),
  ).toMatchObject({ subnetIds: ["subnet-1", "subnet-2"], securityGroupIds: ["sg-1"] });
  expect(() => network(17, 5)).toThrow("must be 16 at most: AWS Lambda accepts no more");
  expect(() => network(16, 6)).toThrow("must be 5 at most: AWS Lambda accepts no more");
});

test.each([
  ["alarmTopicArn", "arn:aws:sns:eu-central-1:111122223333:alarms", "arn:aws:sns:"],
  [
    "alarmTopicArn",
    "arn:aws-us-gov:sns:us-gov-west-1:111122223333:a_b-c",
    "arn:aws:sns:eu-central-1:1111:alarms",
  ],
  [
    "captureSecretArn",
    `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${"s".repeat(512)}-AbCdEf`,
    `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${"s".repeat(513)}-AbCdEf`,
  ],
  ["captureSecretArn", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:a/b", "a/b-AbCdEf"],
  ["replicationInstanceClass", "dms.r6i.32xlarge", "dms.large"],
  ["replicationInstanceClass", `dms.${"r".repeat(20)}.large`, `dms.${"r".repeat(21)}.large`],
  ["databaseHost", `${"h".repeat(255)}`, `${"h".repeat(256)}`],
  ["databaseHost", "db-1.cluster.example.internal", "db.example.internal:5432"],
  ["captureStartPosition", "4AF/B00000D0", "4AF/B00000D00"],
  ["captureStartPosition", "0/1", "1700000000"],
])("%s accepts %s and refuses %s", (name, accepted, refused) => {
  expect(withSetting(name, accepted)).toMatchObject({ [name]: accepted });
  expect(() => withSetting(name, refused)).toThrow(`${name} is "${refused}": `);
});
