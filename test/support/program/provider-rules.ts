import * as aws from "@pulumi/aws";
import { type Declared, json } from "./mocks";
import { SUFFIX } from "./provider-state";

/**
 * Checks of the AWS provider and of AWS on a resource's inputs that no type expresses: limits, patterns,
 * exclusive options. Sources: the service quotas and API references of each service, and the validations of
 * the AWS provider (terraform-provider-aws).
 *
 * @returns one line per fault
 */
export function providerFaults(resource: Declared): string[] {
  const check = RULES[resource.type];
  if (!check) return [`${resource.type} "${resource.name}": no rules are known for this type; add them`];
  const faults = [...nameFaults(resource), ...check(resource.inputs)];
  return faults.map((fault) => `${resource.type} "${resource.name}": ${fault}`);
}

/** The physical name of a resource. */
export function physicalName({ name, inputs }: Declared): string {
  return typeof inputs.name === "string" ? inputs.name : name + SUFFIX;
}

type Inputs = Record<string, unknown>;

/** Maximum length and characters of physical names. Other types have no name. */
const NAMES: Record<string, [limit: number, pattern: RegExp]> = {
  "aws:cloudwatch/eventBus:EventBus": [256, /^[/.\-_A-Za-z0-9]+$/],
  "aws:cloudwatch/eventRule:EventRule": [64, /^[.\-_A-Za-z0-9]+$/],
  "aws:cloudwatch/logGroup:LogGroup": [512, /^[.\-_/#A-Za-z0-9]+$/],
  "aws:cloudwatch/metricAlarm:MetricAlarm": [255, /^\S+$/],
  "aws:dynamodb/table:Table": [255, /^[a-zA-Z0-9_.-]{3,}$/],
  "aws:iam/role:Role": [64, /^[\w+=,.@-]+$/],
  "aws:iam/rolePolicy:RolePolicy": [128, /^[\w+=,.@-]+$/],
  "aws:kinesis/stream:Stream": [128, /^[a-zA-Z0-9_.-]+$/],
  "aws:lambda/function:Function": [64, /^[a-zA-Z0-9-_]+$/],
  "aws:sqs/queue:Queue": [80, /^[a-zA-Z0-9_-]+$/],
};

/** The retention periods that CloudWatch Logs accepts, in days. */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const RESERVED_VARIABLES = /^(_HANDLER|_X_AMZN|AWS_|LAMBDA_|TZ$)/;

const RULES: Record<string, (inputs: Inputs) => string[]> = {
  "aws:cloudwatch/eventBus:EventBus": () => [],
  "aws:cloudwatch/eventRule:EventRule": ruleFaults,
  "aws:cloudwatch/eventTarget:EventTarget": ({ retryPolicy = TARGET_DEFAULTS }) => [
    ...limit("maximumEventAgeInSeconds", (retryPolicy as Inputs).maximumEventAgeInSeconds, 60, 86_400),
    ...limit("maximumRetryAttempts", (retryPolicy as Inputs).maximumRetryAttempts, 0, 185),
  ],
  "aws:cloudwatch/logGroup:LogGroup": ({ retentionInDays }) =>
    LOG_RETENTION_DAYS.includes(Number(retentionInDays))
      ? []
      : [`retentionInDays is ${retentionInDays}, which CloudWatch Logs does not take`],
  "aws:cloudwatch/metricAlarm:MetricAlarm": ({ alarmDescription, alarmActions, period }) => [
    ...limit("alarmDescription", String(alarmDescription).length, 1, 1024),
    ...limit("alarmActions", (alarmActions as unknown[]).length, 0, 5),
    ...(Number(period) % 60 === 0 ? [] : [`period is ${period}`]),
  ],
  "aws:dms/endpoint:Endpoint": ({ endpointId, postgresSettings }) => [
    ...dmsIdentifier(endpointId, 255),
    ...limit("slotName", String((postgresSettings as Inputs | undefined)?.slotName ?? "none").length, 1, 63),
  ],
  "aws:dms/replicationInstance:ReplicationInstance": ({ replicationInstanceId, allocatedStorage }) => [
    ...dmsIdentifier(replicationInstanceId, 63),
    ...limit("allocatedStorage", allocatedStorage, 5, 6144),
  ],
  "aws:dms/replicationSubnetGroup:ReplicationSubnetGroup": ({
    replicationSubnetGroupId,
    replicationSubnetGroupDescription,
    subnetIds,
  }) => [
    ...dmsIdentifier(replicationSubnetGroupId, 255),
    ...limit("description", String(replicationSubnetGroupDescription).length, 1, 255),
    ...limit("subnetIds", (subnetIds as unknown[]).length, 2, 50),
  ],
  "aws:dms/replicationTask:ReplicationTask": ({ replicationTaskId, ...settings }) => [
    ...dmsIdentifier(replicationTaskId, 255),
    ...["tableMappings", "replicationTaskSettings"]
      .filter((name) => !isJson(settings[name]))
      .map((name) => `${name} is not JSON`),
  ],
  "aws:dynamodb/table:Table": tableFaults,
  "aws:iam/role:Role": ({ assumeRolePolicy }) =>
    limit("assumeRolePolicy", String(assumeRolePolicy).length, 1, 2048),
  "aws:iam/rolePolicy:RolePolicy": ({ policy }) => limit("policy", String(policy).length, 1, 10_240),
  "aws:kinesis/stream:Stream": ({ retentionPeriod, shardCount }) => [
    ...limit("retentionPeriod", retentionPeriod, 24, 8760),
    ...limit("shardCount", shardCount, 1, 1000),
  ],
  "aws:lambda/eventSourceMapping:EventSourceMapping": mappingFaults,
  "aws:lambda/function:Function": functionFaults,
  "aws:lambda/permission:Permission": ({ sourceArn }) =>
    String(sourceArn).startsWith("arn:aws:events:") ? [] : [`sourceArn is ${String(sourceArn)}`],
  "aws:sqs/queue:Queue": ({
    visibilityTimeoutSeconds = 30,
    messageRetentionSeconds,
    redrivePolicy = "{}",
  }) => [
    ...limit("visibilityTimeoutSeconds", visibilityTimeoutSeconds, 0, 43_200),
    ...limit("messageRetentionSeconds", messageRetentionSeconds, 60, 1_209_600),
    ...limit("maxReceiveCount", (json(redrivePolicy) as Inputs).maxReceiveCount ?? 1, 1, 1000),
  ],
  "aws:sqs/queuePolicy:QueuePolicy": ({ policy }) => (isJson(policy) ? [] : ["policy is not JSON"]),
};

function nameFaults(resource: Declared): string[] {
  const [longest, pattern] = NAMES[resource.type] ?? [];
  if (!longest || !pattern) return [];
  const name = physicalName(resource);
  return [
    ...(name.length > longest
      ? [`its name "${name}" has ${name.length} characters; the limit is ${longest}`]
      : []),
    ...(pattern.test(name) ? [] : [`its name "${name}" has invalid characters`]),
  ];
}

/** What EventBridge assumes of a target. */
const TARGET_DEFAULTS = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };

/** A rule has a pattern or, on the default bus only, a schedule. */
function ruleFaults({ eventPattern, scheduleExpression, eventBusName }: Inputs): string[] {
  if (scheduleExpression === undefined) {
    return [
      ...limit("eventPattern", String(eventPattern).length, 1, 2048),
      ...(isJson(eventPattern) ? [] : ["eventPattern is not JSON"]),
    ];
  }
  const one = /^rate\(1 (minute|hour|day)\)$/;
  const more = /^rate\(([2-9]|[1-9]\d+) (minutes|hours|days)\)$/;
  const fits = [one, more, /^cron\(.+\)$/].some((form) => form.test(String(scheduleExpression)));
  return [
    ...(fits ? [] : [`scheduleExpression is ${String(scheduleExpression)}`]),
    ...(eventBusName === undefined ? [] : ["a schedule is on the default bus only"]),
  ];
}

function tableFaults(inputs: Inputs): string[] {
  const attributes = (inputs.attributes as { name: string }[]).map(({ name }) => name);
  const indexes = inputs.globalSecondaryIndexes as {
    name: string;
    keySchemas: { attributeName: string }[];
  }[];
  const indexKeys = indexes.flatMap(({ keySchemas }) => keySchemas.map(({ attributeName }) => attributeName));
  const keys = [inputs.hashKey, inputs.rangeKey, ...indexKeys].filter(Boolean);
  return [
    ...limit("globalSecondaryIndexes", indexes.length, 0, 20),
    ...indexes.flatMap(({ name }) => limit(`the length of the index "${name}"`, name.length, 3, 255)),
    ...(new Set(attributes).size === attributes.length ? [] : [`attributes are ${attributes.join()}`]),
    // The provider refuses unused attributes and undeclared keys.
    ...([...attributes].sort().join() === [...new Set(keys)].sort().join()
      ? []
      : [`the keys are ${keys.join()}`]),
  ];
}

function mappingFaults(inputs: Inputs): string[] {
  const ofQueue = String(inputs.eventSourceArn).startsWith("arn:aws:sqs:");
  const streamOnly = [
    "startingPosition",
    "bisectBatchOnFunctionError",
    "maximumRetryAttempts",
    "maximumRecordAgeInSeconds",
  ];
  const { maximumConcurrency = 2 } = (inputs.scalingConfig ?? {}) as Inputs;
  const { filters = [] } = (inputs.filterCriteria ?? {}) as { filters?: { pattern: string }[] };
  return [
    ...limit("batchSize", inputs.batchSize, 1, ofQueue ? 10 : 10_000),
    ...limit("maximumConcurrency", maximumConcurrency, 2, 1000),
    ...limit("filters", filters.length, 0, 5),
    ...filters
      .filter(({ pattern }) => !isJson(pattern))
      .map(({ pattern }) => `the filter ${pattern} is not JSON`),
    ...streamOnly.filter((name) => name in inputs === ofQueue).map((name) => `${name} is for streams only`),
    ...(inputs.scalingConfig && !ofQueue ? ["scalingConfig is for queues only"] : []),
  ];
}

function functionFaults(inputs: Inputs): string[] {
  const variables = Object.entries((inputs.environment as { variables: Record<string, string> }).variables);
  // Lambda's error for too large an environment shows what it measures: the variables as JSON.
  const bytes = Buffer.byteLength(JSON.stringify(Object.fromEntries(variables)));
  const runtimes: string[] = Object.values(aws.lambda.Runtime);
  return [
    ...(runtimes.includes(String(inputs.runtime)) ? [] : [`runtime is ${String(inputs.runtime)}`]),
    ...limit("timeout", inputs.timeout, 1, 900),
    ...limit("memorySize", inputs.memorySize, 128, 10_240),
    ...limit("the size of the environment", bytes, 0, 4096),
    ...variables
      .filter(([name]) => !/^[a-zA-Z][a-zA-Z0-9_]+$/.test(name) || RESERVED_VARIABLES.test(name))
      .map(([name]) => `the variable "${name}" cannot be set`),
  ];
}

function dmsIdentifier(id: unknown, longest: number): string[] {
  const text = String(id);
  const fits = /^[a-z]([a-z0-9]|-(?!-|$))*$/i.test(text);
  return [
    ...limit(`the length of "${text}"`, text.length, 1, longest),
    ...(fits ? [] : [`"${text}" is not a DMS identifier`]),
  ];
}

function limit(what: string, value: unknown, min: number, max: number): string[] {
  const fits = typeof value === "number" && value >= min && value <= max;
  return fits ? [] : [`${what} is ${String(value)}, not ${min} to ${max}`];
}

function isJson(value: unknown): boolean {
  try {
    return typeof json(value) === "object";
  } catch {
    return false;
  }
}
