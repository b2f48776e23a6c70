import "../../support/program/unpackaged";
import { expect, test } from "vitest";
import * as pulumi from "@pulumi/pulumi";
import { replicate } from "../../../dist/components/monolith/replication.js";
import { replicationTaskSettings } from "../../../dist/components/monolith/replication-settings.js";
import { readCaptureSettings } from "../../../dist/local/capture/settings.js";
import { deploy } from "../../support/program/mocks";
import { DATABASE } from "../../support/postgres/monolith-database";
import { rulesFor, rulesWith, STREAM_ARN, type TaskInputOverrides, taskInputs } from "./task-inputs";

const read = (overrides?: TaskInputOverrides) => readCaptureSettings(taskInputs(overrides));

const { one } = await deploy(() => {
  const declared = { database: DATABASE, streamArn: pulumi.output(STREAM_ARN), alarmTopicArn: undefined };
  replicate("monolith", { ...declared, replicationInstanceClass: "dms.t3.micro" }, {});
});
const declaredSource = one("aws:dms/endpoint:Endpoint", "monolith-source").inputs;
const declaredTarget = one("aws:dms/endpoint:Endpoint", "monolith-target").inputs;
const declaredTask = one("aws:dms/replicationTask:ReplicationTask", "monolith-task").inputs;

const taskSettings = replicationTaskSettings() as Record<"TargetMetadata" | "ErrorBehavior", object>;

test("what the program declares is supported", () => {
  expect(readCaptureSettings({ source: declaredSource, target: declaredTarget, task: declaredTask })).toEqual(
    {
      taskId: "domain-consistency-dev-monolith",
      database: "library",
      secretArn: DATABASE.captureSecretArn,
      secretRoleArn: "arn:aws:iam::111122223333:role/monolith-source-role-1234567",
      slotName: "library_outbox",
      startPosition: 0x2_7c00_7178n,
      heartbeat: { schema: "awsdms", everyMilliseconds: 300_000 },
      streamArn: STREAM_ARN,
      streamRoleArn: "arn:aws:iam::111122223333:role/monolith-target-role-1234567",
      table: { schema: "public", name: "outbox" },
      partitionKeyColumn: "aggregate_id",
      maxLobBytes: 1024 * 1024,
    },
  );
});

test("the capture's tests declare the same inputs as the program", () => {
  const namesOf = (inputs: unknown): unknown =>
    typeof inputs === "object" && inputs !== null
      ? Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, namesOf(value)]))
      : "declared";
  expect(namesOf(taskInputs())).toEqual(
    namesOf({ source: declaredSource, target: declaredTarget, task: declaredTask }),
  );
});

const NOT_SUPPORTED = "The local capture does not support it: remove it.";

test.each<[string, TaskInputOverrides, string]>([
  [
    "a full load",
    { task: { migrationType: "full-load-and-cdc" } },
    'The input migrationType of the replication task is "full-load-and-cdc". Set it to "cdc": the outbox is captured from its slot, without a full load.',
  ],
  [
    "pglogical",
    { postgres: { pluginName: "pglogical" } },
    'The input postgresSettings.pluginName of the source endpoint is "pglogical". Set it to "test-decoding": the migrations create the slot for the plugin test_decoding, which DMS\'s API names so.',
  ],
  [
    "no slot, since DMS would create one too late",
    { postgres: { slotName: undefined } },
    "The input postgresSettings.slotName of the source endpoint is not set. Set it to the slot that the migrations create; otherwise DMS creates its own when the task starts, and loses earlier events.",
  ],
  [
    "capturing DDL, DMS's default",
    { postgres: { captureDdls: undefined } },
    "The input postgresSettings.captureDdls of the source endpoint is not set. Set it to false: otherwise DMS creates an event trigger, which needs a superuser.",
  ],
  [
    "no heartbeat, DMS's default",
    { postgres: { heartbeatEnable: undefined } },
    "The input postgresSettings.heartbeatEnable of the source endpoint is not set. Set it to true: otherwise the slot of an idle database retains the log until the disk is full.",
  ],
  [
    "a heartbeat every 0 minutes",
    { postgres: { heartbeatFrequency: 0 } },
    'The input postgresSettings.heartbeatFrequency of the source endpoint is "0". Set it to whole minutes, 1 or more.',
  ],
  [
    "records without their null columns, DMS's default",
    { kinesis: { includeNullAndEmpty: undefined } },
    "The input kinesisSettings.includeNullAndEmpty of the target endpoint is not set. Set it to true: otherwise DMS omits columns that are null or empty.",
  ],
  [
    "a stream that is not an ARN",
    { kinesis: { streamArn: "outbox" } },
    'The input kinesisSettings.streamArn of the target endpoint is "outbox". Set it to the ARN of a Kinesis stream.',
  ],
  [
    "full LOB mode",
    { targetMetadata: { FullLobMode: true } },
    'The input replicationTaskSettings.TargetMetadata.FullLobMode of the replication task is "true". Set it to false: Kinesis targets do not support full LOB mode.',
  ],
  [
    "no LOBs",
    { targetMetadata: { SupportLobs: false } },
    'The input replicationTaskSettings.TargetMetadata.SupportLobs of the replication task is "false". Set it to true: DMS treats a payload as a LOB, and would omit it.',
  ],
  [
    "a LOB size above DMS's limit",
    { targetMetadata: { LobMaxSize: 102_401 } },
    'The input replicationTaskSettings.TargetMetadata.LobMaxSize of the replication task is "102401". Set it to 1 .. 102400 KiB.',
  ],
  [
    "batch apply",
    { targetMetadata: { BatchApplyEnabled: true } },
    'The input replicationTaskSettings.TargetMetadata.BatchApplyEnabled of the replication task is "true". Set it to false: with Kinesis, batches may lose data.',
  ],
  [
    "parallel apply",
    { targetMetadata: { ParallelApplyThreads: 2 } },
    'The input replicationTaskSettings.TargetMetadata.ParallelApplyThreads of the replication task is "2". Set it to 0: several threads may reorder one aggregate\'s events.',
  ],
  [
    "a task that continues after an error",
    { errorBehavior: { DataErrorPolicy: "LOG_ERROR" } },
    'The input replicationTaskSettings.ErrorBehavior.DataErrorPolicy of the replication task is "LOG_ERROR". Set it to "STOP_TASK": a task that continues loses the event.',
  ],
  [
    "a task that is not started",
    { task: { startReplicationTask: false } },
    'The input startReplicationTask of the replication task is "false". Set it to true: otherwise nothing is captured until the task is started by hand.',
  ],
  [
    "another source",
    { source: { engineName: "mysql" } },
    'The input engineName of the source endpoint is "mysql". Set it to "postgres".',
  ],
  [
    "an endpoint in the wrong direction",
    { source: { endpointType: "target" } },
    'The input endpointType of the source endpoint is "target". Set it to "source".',
  ],
  [
    "a task without a start position",
    { task: { cdcStartPosition: undefined } },
    "The input cdcStartPosition of the replication task is not set. Set it to the position of the slot, e.g. 2/7C007178: DMS refuses a task that names a slot without one.",
  ],
  [
    "a start position that is not one",
    { task: { cdcStartPosition: "2026-11-27T12:00:00" } },
    'The input cdcStartPosition of the replication task is "2026-11-27T12:00:00". Set it to the position of the slot, e.g. 2/7C007178: DMS refuses a task that names a slot without one.',
  ],
  [
    "connection attributes",
    { source: { extraConnectionAttributes: "slotName=other" } },
    `The input extraConnectionAttributes of the source endpoint is "slotName=other". ${NOT_SUPPORTED}`,
  ],
  [
    "an unknown setting of the source",
    { postgres: { mapBooleanAsBoolean: true } },
    `The input postgresSettings.mapBooleanAsBoolean of the source endpoint is "true". ${NOT_SUPPORTED}`,
  ],
  [
    "task settings that are not JSON",
    { task: { replicationTaskSettings: "{" } },
    "The input replicationTaskSettings of the replication task is \"{\". It is not JSON: SyntaxError: Expected property name or '}' in JSON at position 1 (line 1 column 2).",
  ],
])("%s is refused, with the remedy", (_, overrides, message) => {
  expect(() => read(overrides)).toThrow(
    expect.objectContaining({ code: "CAPTURE_SETTINGS_INVALID", message }) as Error,
  );
});

test.each([
  ["postgres", "postgresSettings", Object.keys(declaredSource["postgresSettings"] as object)],
  ["kinesis", "kinesisSettings", Object.keys(declaredTarget["kinesisSettings"] as object)],
  ["targetMetadata", "replicationTaskSettings.TargetMetadata", Object.keys(taskSettings.TargetMetadata)],
  ["errorBehavior", "replicationTaskSettings.ErrorBehavior", Object.keys(taskSettings.ErrorBehavior)],
])("%s: every declared setting is needed, and no other is supported", (part, path, names) => {
  expect(names.length).toBeGreaterThan(3);
  for (const name of names)
    expect(() => read({ [part]: { [name]: undefined } })).toThrow(`The input ${path}.${name} of the `);
  expect(() => read({ [part]: { other: 1 } })).toThrow(
    new RegExp(`^The input ${path}\\.other of the .+ is "1"\\. ${NOT_SUPPORTED}$`),
  );
});

test("every wrong input is named at once", () => {
  const wrong = { source: { engineName: "mysql" }, kinesis: { noHexPrefix: true } };
  expect(() => read(wrong)).toThrow(
    /^The input engineName of the source endpoint is "mysql"\. .+\nThe input kinesisSettings\.noHexPrefix of the target endpoint is "true"\. .+$/,
  );
});

test("the rules decide which table is captured and by which column its records are keyed", () => {
  expect(read({ rules: rulesFor("Events", "id", "legacy") })).toMatchObject({
    table: { schema: "legacy", name: "Events" },
    partitionKeyColumn: "id",
  });
});

const [selection = {}, mapping = {}] = rulesWith();
const outbox = { "schema-name": "public", "table-name": "outbox" };
const keyedBy = (parameters: object) => rulesWith({}, { "mapping-parameters": parameters });
const BOTH_RULES =
  "Set them to one selection rule and one object-mapping rule. Without the latter, DMS uses the table's name as the partition key and puts all events on one shard.";

test.each<[string, object[], string, string]>([
  ["no object-mapping rule, so DMS's default key,", [selection], "tableMappings.rules", BOTH_RULES],
  ["a third rule", [selection, mapping, mapping], "tableMappings.rules", BOTH_RULES],
  ["an object-mapping rule alone", [mapping], "tableMappings.rules", BOTH_RULES],
  [
    "no partition-key-type, so DMS's default,",
    keyedBy({}),
    "tableMappings.rules.1.mapping-parameters.partition-key-type",
    "is not set. Set it to \"attribute-name\": DMS's other types put all events on one shard, or one aggregate's events on several.",
  ],
  [
    "another partition-key-type",
    keyedBy({ "partition-key-type": "primary-key" }),
    "tableMappings.rules.1.mapping-parameters.partition-key-type",
    'is "primary-key". Set it to "attribute-name"',
  ],
  [
    "an attribute without its name",
    keyedBy({ "partition-key-type": "attribute-name" }),
    "tableMappings.rules.1.mapping-parameters.partition-key-name",
    "is not set. Set it to the column that records are keyed by.",
  ],
  [
    "excluding columns",
    keyedBy({
      "partition-key-type": "attribute-name",
      "partition-key-name": "aggregate_id",
      "exclude-columns": ["payload"],
    }),
    "tableMappings.rules.1.mapping-parameters.exclude-columns",
    `is "["payload"]". ${NOT_SUPPORTED}`,
  ],
  [
    "documents",
    rulesWith({}, { "rule-action": "map-record-to-document" }),
    "tableMappings.rules.1.rule-action",
    'is "map-record-to-document". Set it to "map-record-to-record": the relay reads the columns directly from "data".',
  ],
  [
    "a selection that excludes",
    rulesWith({ "rule-action": "exclude" }),
    "tableMappings.rules.0.rule-action",
    'is "exclude". Set it to "include".',
  ],
  [
    "filters",
    rulesWith({ filters: [{}] }),
    "tableMappings.rules.0.filters",
    'is "[{}]". Remove the filters: the local capture does not support them.',
  ],
  [
    "a transformation",
    rulesWith({}, { "rule-type": "transformation" }),
    "tableMappings.rules.1.rule-type",
    'is "transformation". Set it to "object-mapping".',
  ],
  [
    "a wildcard",
    rulesFor("out%", "aggregate_id"),
    "tableMappings.rules.0.object-locator.table-name",
    'is "out%". Set it to one table, without wildcards.',
  ],
  [
    "a locator without a table",
    rulesWith({ "object-locator": { "schema-name": "public" } }),
    "tableMappings.rules.0.object-locator.table-name",
    "is not set. Set it to one table, without wildcards.",
  ],
  [
    "an object mapping of another table",
    rulesWith({}, { "object-locator": { ...outbox, "table-name": "inbox" } }),
    "tableMappings.rules",
    "Name the same table in both rules: otherwise DMS captures it with its default partition key.",
  ],
  [
    "a repeated id",
    rulesWith({}, { "rule-id": "1" }),
    "tableMappings.rules",
    "Give each rule its own rule-id and rule-name.",
  ],
])("%s is refused", (_, rules, input, problem) => {
  const refused = () => read({ rules });
  expect(refused).toThrow(expect.objectContaining({ code: "CAPTURE_MAPPINGS_INVALID" }) as Error);
  expect(refused).toThrow(`The input ${input} of the replication task `);
  expect(refused).toThrow(problem);
});

test("table mappings that are not JSON, or have no rules, are refused", () => {
  const mappings = (tableMappings: string) => () => read({ task: { tableMappings } });
  expect(mappings("{")).toThrow(
    /^The input tableMappings of the replication task is "\{"\. It is not JSON: /,
  );
  expect(mappings("[]")).toThrow(/^The input tableMappings of the replication task is "\[\]"\. /);
  expect(mappings("{}")).toThrow(/^The input tableMappings\.rules of the replication task is not set\. /);
});
