import "../support/program/unpackaged";
import { describe, expect, test } from "vitest";
import { API, apiFaults, INPUTS, wholeText } from "../support/aws-api/check-inputs";
import { DOCUMENTED } from "../support/aws-api/documented";
import { deprecatedInputs } from "../support/aws-api/deprecated-inputs";
import { ALL_DOMAINS } from "../support/program/domain-sources";
import type { Declared } from "../support/program/mocks";
import { providerFaults } from "../support/program/provider-rules";
import { FULL_CONFIG, REQUIRED_CONFIG } from "../support/program/stack-config";
import { deployProgram } from "../support/program/whole-program";

/** The longest that Pulumi accepts: 100 letters, digits, hyphens, underscores and periods. */
const LONGEST = { project: `Shop_2.${"p".repeat(93)}`, stack: `EU_west.1-${"s".repeat(89)}-` };
const NETWORK = {
  subnetIds: Array.from({ length: 16 }, (_, index) => `subnet-0a${(index + 16).toString(16)}`).join(),
  securityGroupIds: "sg-01,sg-02,sg-03,sg-04,sg-05",
};
const CONFIGURATIONS = [
  { how: "with the required settings", options: {} },
  { how: "with every setting", options: { config: FULL_CONFIG } },
  { how: "in the largest network", options: { config: { ...REQUIRED_CONFIG, ...NETWORK } } },
  { how: "without TLS", options: { config: { ...REQUIRED_CONFIG, databaseTls: "disable" } } },
  { how: "as the longest project and stack", options: LONGEST },
  { how: "as a stack of 40 characters", options: { stack: "s".repeat(40) } },
];

const programs: { name: string; resources: Declared[] }[] = [];
for (const domains of ALL_DOMAINS) {
  for (const { how, options } of CONFIGURATIONS) {
    const { declared } = await deployProgram(options, domains);
    programs.push({ name: `${domains.name}, ${how}`, resources: declared.filter(({ custom }) => custom) });
  }
}
const everything = programs.flatMap(({ resources }) => resources);

describe.each(programs)("Of $name,", ({ resources }) => {
  test("AWS's API and the provider accept every input of every resource", () => {
    expect(resources.flatMap(apiFaults)).toEqual([]);
    expect(resources.flatMap(providerFaults)).toEqual([]);
    expect(resources.flatMap(deprecatedInputs)).toEqual([]);
  });
});

const declared = (type: string, name: string) =>
  everything.find((one) => one.type === type && one.name === name)!;
const SOURCE = declared("aws:dms/endpoint:Endpoint", "monolith-source");
const TASK = declared("aws:dms/replicationTask:ReplicationTask", "monolith-task");
const INSTANCE = declared("aws:dms/replicationInstance:ReplicationInstance", "monolith-instance");
const COMMANDS = declared("aws:lambda/function:Function", "loans-commands");
const TABLE = declared("aws:dynamodb/table:Table", "loans-loans-table");
const RULE = declared("aws:cloudwatch/eventRule:EventRule", "loans-on-members-rule");
const TARGET = declared("aws:cloudwatch/eventTarget:EventTarget", "loans-on-members-target");
const QUEUE = declared("aws:sqs/queue:Queue", "loans-on-members-queue");
const ALARM = declared("aws:cloudwatch/metricAlarm:MetricAlarm", "loans-relay-age-alarm");
const LOG = declared("aws:cloudwatch/logGroup:LogGroup", "loans-commands-log");
const MAPPING = declared("aws:lambda/eventSourceMapping:EventSourceMapping", "loans-relay-source");

test("Every input that is mapped is declared by some resource, so that none is forgotten in the extract", () => {
  const paths = new Map<string, Set<string>>();
  const note = (type: string, value: unknown, path: string): void => {
    const known = paths.get(type) ?? new Set();
    paths.set(type, known.add(path));
    if (Array.isArray(value)) value.forEach((element) => note(type, element, `${path}[]`));
    else if (typeof value === "object" && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        note(type, member, path === "" ? key : `${path}.${key}`);
        known.add(`${path}{key}`).add(`${path}{}`);
      }
    }
  };
  for (const { type, inputs } of everything) note(type, { name: "generated", ...inputs }, "");
  const unused = Object.entries(INPUTS).flatMap(([type, mapping]) =>
    Object.keys(mapping)
      .filter((path) => !paths.get(type)?.has(path))
      .map((path) => `${type} ${path}`),
  );
  expect(unused).toEqual([]);
});

test.each([
  [{ hashKey: "memberId" }, 'globalSecondaryIndexes.hashKey is deprecated at "hashKey"'],
  [{ sortKey: "memberId" }, "the provider has no input globalSecondaryIndexes.sortKey"],
])("An index with %o is one that the provider does not want", (changed, fault) => {
  const [index] = TABLE.inputs.globalSecondaryIndexes as object[];
  const inputs = { ...TABLE.inputs, globalSecondaryIndexes: [{ ...index, ...changed }] };
  expect(deprecatedInputs({ ...TABLE, inputs })).toEqual([`${TABLE.type} "${TABLE.name}": ${fault}`]);
});

test("What is quoted of AWS's API reference is there", () => {
  const quotations = Object.entries(DOCUMENTED).filter(([, { source }]) => !source.startsWith("https://"));
  for (const [member, { source }] of quotations) {
    expect(API.shapes[member]?.documentation ?? "", member).toContain(source);
  }
  expect(Object.keys(DOCUMENTED).filter((member) => !(member in API.shapes))).toEqual([]);
});

test("Every pattern of the extract can be used here", () => {
  const patterns = Object.values(API.shapes).flatMap(({ pattern }) => pattern ?? []);
  expect(patterns.length).toBeGreaterThan(20);
  for (const pattern of patterns) expect(() => wholeText(pattern), pattern).not.toThrow();
});

test.each<[what: string, resource: Declared, changed: object, fault: RegExp]>([
  [
    "a value that is not in an enumeration",
    SOURCE,
    { postgresSettings: { pluginName: "test_decoding" } },
    /pluginName is "test_decoding", not one of no-preference, test-decoding, pglogical/,
  ],
  [
    "a value that is not among the documented ones",
    LOG,
    { retentionInDays: 31 },
    /retentionInDays is "31", not one of 1, 3, 5,/,
  ],
  [
    "an engine that DMS does not know",
    SOURCE,
    { engineName: "postgresql" },
    /engineName is "postgresql", not one of/,
  ],
  [
    "a name that is too long",
    INSTANCE,
    { replicationInstanceId: "i".repeat(64) },
    /replicationInstanceId has 64 characters; the limit is 63/,
  ],
  [
    "a name with other characters",
    INSTANCE,
    { replicationInstanceId: "a--b" },
    /replicationInstanceId is "a--b", which .* refuses/,
  ],
  [
    "a class that is too long",
    INSTANCE,
    { replicationInstanceClass: `dms.${"r".repeat(27)}` },
    /has 31 characters; the limit is 30/,
  ],
  [
    "a pattern that is too long",
    RULE,
    { eventPattern: JSON.stringify({ source: ["s".repeat(2048)] }) },
    /eventPattern has 20\d\d characters; the limit is 2048/,
  ],
  ["a document that is not JSON", RULE, { eventPattern: "{" }, /eventPattern is "\{", which is not JSON/],
  ["an input that nothing maps", TASK, { cdcStartTime: "1700000000" }, /cdcStartTime is not in inputs.json/],
  [
    "a nested input that nothing maps",
    SOURCE,
    { postgresSettings: { databaseMode: "default" } },
    /postgresSettings.databaseMode is not in inputs.json/,
  ],
  [
    "an input of another type",
    TASK,
    { startReplicationTask: true, migrationType: 1 },
    /migrationType is "1", not of type string/,
  ],
  [
    "a required member that is left out",
    TASK,
    { tableMappings: undefined },
    /no input becomes dms.CreateReplicationTask.TableMappings/,
  ],
  [
    "a start position that is a time",
    TASK,
    { cdcStartPosition: "2026-11-27T12:00:00" },
    /cdcStartPosition is "2026-11-27T12:00:00"/,
  ],
  [
    "a runtime that Lambda does not have",
    COMMANDS,
    { runtime: "nodejs25.x" },
    /runtime is "nodejs25.x", not one of/,
  ],
  [
    "more security groups than Lambda takes",
    COMMANDS,
    { vpcConfig: { securityGroupIds: ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-6"], subnetIds: [] } },
    /vpcConfig.securityGroupIds has 6 elements; the limit is 5/,
  ],
  [
    "a variable's name that Lambda refuses",
    COMMANDS,
    { environment: { variables: { "A-B": "c" } } },
    /environment.variables\{key\} is "A-B"/,
  ],
  [
    "more indexes than a table has",
    TABLE,
    {
      globalSecondaryIndexes: Array.from({ length: 21 }, (_, index) => ({
        name: `by${index}x`,
        keySchemas: [{ attributeName: "a", keyType: "HASH" }],
        projectionType: "ALL",
      })),
    },
    /globalSecondaryIndexes has 21 elements; the limit is 20/,
  ],
  [
    "a type of key that is none",
    TABLE,
    {
      globalSecondaryIndexes: [
        { name: "abc", keySchemas: [{ attributeName: "a", keyType: "SORT" }], projectionType: "ALL" },
      ],
    },
    /keySchemas\[\].keyType is "SORT", not one of HASH, RANGE/,
  ],
  [
    "an age out of its range",
    TARGET,
    { retryPolicy: { maximumEventAgeInSeconds: 59 } },
    /maximumEventAgeInSeconds has 59; the least is 60/,
  ],
  [
    "more attempts than there are",
    TARGET,
    { retryPolicy: { maximumRetryAttempts: 186 } },
    /maximumRetryAttempts has 186; the limit is 185/,
  ],
  ["an ARN that is none", TARGET, { arn: "queue" }, /arn is "queue", which is not an ARN/],
  [
    "a queue that keeps messages for 15 days",
    QUEUE,
    { messageRetentionSeconds: 15 * 86_400 },
    /messageRetentionSeconds has 1296000; the limit is 1209600/,
  ],
  [
    "missing data that counts as something else",
    ALARM,
    { treatMissingData: "bad" },
    /treatMissingData is "bad", not one of breaching/,
  ],
  [
    "six actions of an alarm",
    ALARM,
    { alarmActions: Array.from({ length: 6 }, () => "arn:aws:sns:eu-central-1:111122223333:a") },
    /alarmActions has 6 elements; the limit is 5/,
  ],
  [
    "six filters",
    MAPPING,
    { filterCriteria: { filters: Array.from({ length: 6 }, () => ({ pattern: "{}" })) } },
    /filterCriteria.filters has 6 elements; the limit is 5/,
  ],
])("%s is a fault", (_, resource, changed, fault) => {
  expect(apiFaults(resource)).toEqual([]);
  const faults = apiFaults({ ...resource, inputs: { ...resource.inputs, ...changed } });
  expect(faults.join("\n")).toMatch(fault);
});
