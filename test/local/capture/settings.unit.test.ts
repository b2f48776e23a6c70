import { describe, expect, test } from "vitest";
import { readCaptureSettings } from "../../../dist/local/capture/settings.js";
import { parseTableMappings } from "../../../dist/local/capture/table-mappings.js";
import { mappingRule, selectionRule, type TaskInputOverrides, taskInputs } from "./task-inputs.js";

function read(
  overrides?: TaskInputOverrides,
  change: (inputs: ReturnType<typeof taskInputs>) => void = () => {},
) {
  const inputs = taskInputs(overrides);
  change(inputs);
  return readCaptureSettings(inputs.source, inputs.target, inputs.task);
}

test("what the program declares is read with DMS's defaults for the rest", () => {
  expect(read({ kinesis: { streamArn: "arn:aws:kinesis:eu-west-1:1:stream/s" } })).toMatchObject({
    taskId: "shop-capture",
    slotName: "shop_outbox",
    heartbeat: undefined,
    streamName: "s",
    defaultPartitionKeyType: "schema-table",
    record: {
      unformatted: true,
      controlDetails: false,
      nullAndEmpty: true,
      booleans: false,
      lobs: { included: true, maxBytes: 1024 * 1024, failOnTruncation: true },
    },
  });
  const defaults = read({ task: { replicationTaskSettings: "{}" } }, ({ target }) => {
    target.kinesisSettings = { streamArn: "arn:aws:kinesis:eu-west-1:1:stream/s", serviceAccessRoleArn: "r" };
  });
  expect(defaults.record).toMatchObject({
    unformatted: false,
    nullAndEmpty: false,
    partitionValue: false,
    transactionDetails: false,
    lobs: { maxBytes: 32 * 1024 },
  });
});

test("applying in parallel makes the primary key the default partition key", () => {
  expect(read({ targetMetadata: { ParallelApplyThreads: 2 } }).defaultPartitionKeyType).toBe("primary-key");
});

test("the heartbeat is off unless enabled, and then every five minutes in the schema public", () => {
  expect(read({ postgres: { heartbeatEnable: true } }).heartbeat).toEqual({
    schema: "public",
    everyMilliseconds: 300_000,
  });
});

test.each<[string, TaskInputOverrides, string]>([
  [
    "a full load",
    { task: { migrationType: "full-load-and-cdc" } },
    'The input migrationType of the replication task is "full-load-and-cdc". Set it to "cdc": the outbox is captured from its slot, and the stand-in does no full load',
  ],
  [
    "pglogical",
    { postgres: { pluginName: "pglogical" } },
    'The input postgresSettings.pluginName is "pglogical". Set it to "test_decoding": the slot was made for that plugin',
  ],
  [
    "capturing DDL",
    { postgres: { captureDdls: true } },
    'The input postgresSettings.captureDdls is "true". Set it to false: DMS would otherwise make an event trigger, which takes a superuser',
  ],
  [
    "another format",
    { kinesis: { messageFormat: "avro" } },
    'The input kinesisSettings.messageFormat is "avro". Set it to "json" or "json-unformatted"',
  ],
  [
    "full LOB mode",
    { targetMetadata: { FullLobMode: true } },
    'The input TargetMetadata.FullLobMode of the task settings is "true". Set it to false and LimitedSizeLobMode to true: Kinesis takes no full LOBs',
  ],
  [
    "batch apply",
    { targetMetadata: { BatchApplyEnabled: true } },
    'The input TargetMetadata.BatchApplyEnabled of the task settings is "true". Set it to false: with Kinesis, batches may lose data',
  ],
  [
    "too many threads",
    { targetMetadata: { ParallelApplyThreads: 33 } },
    'The input TargetMetadata.ParallelApplyThreads of the task settings is "33". Set it to 0 .. 32',
  ],
  [
    "a start time",
    { task: { cdcStartTime: "2024-01-01T00:00:00Z" } },
    'The input cdcStartTime of the replication task is "2024-01-01T00:00:00Z". Leave it out: PostgreSQL sources cannot start from a time',
  ],
  [
    "a start position that is none",
    { task: { cdcStartPosition: "now" } },
    'The input cdcStartPosition of the replication task is "now". Write a position of the write-ahead log such as "2/7C007178"',
  ],
  [
    "a heartbeat of no minutes",
    { postgres: { heartbeatEnable: true, heartbeatFrequency: 0 } },
    'The input postgresSettings.heartbeatFrequency is "0". Set it to whole minutes, 1 or more',
  ],
  [
    "a stream that is none",
    { kinesis: { streamArn: "outbox" } },
    "The input kinesisSettings.streamArn is missing. Set it to the ARN of a Kinesis stream",
  ],
])("%s is refused, with the remedy", (_, overrides, message) => {
  expect(() => read(overrides)).toThrow(
    expect.objectContaining({ code: "CAPTURE_SETTINGS_INVALID", message }) as Error,
  );
});

test("a task without a slot of its own is refused: DMS would make one too late", () => {
  expect(() => read({}, ({ source }) => delete source.postgresSettings?.slotName)).toThrow(
    /postgresSettings.slotName is missing. Set it to the slot that the migrations made/,
  );
});

test("endpoints of the wrong kind are refused", () => {
  expect(() => read({}, ({ source }) => (source.engineName = "mysql"))).toThrow(
    '"mysql". Set it to postgres or aurora-postgresql',
  );
  expect(() => read({}, ({ target }) => (target.engineName = "kafka"))).toThrow(
    '"kafka". Set it to "kinesis"',
  );
  expect(() => read({}, ({ source }) => (source.endpointType = "target"))).toThrow(
    '"target". Set it to "source"',
  );
});

describe("table mappings", () => {
  const parse = (...rules: object[]) => parseTableMappings(JSON.stringify({ rules }));
  const numbered = (rule: object, id: string) => ({ ...rule, "rule-id": id, "rule-name": id });

  test("wildcards select, exclusions win, and case counts", () => {
    const { selects } = parse(
      numbered(selectionRule("out%", "pub%"), "1"),
      numbered(selectionRule("outbox_%", "public", "exclude"), "2"),
    );
    expect([
      selects("public", "outbox"),
      selects("public", "outbox_old"),
      selects("public", "Outbox"),
      selects("other", "outbox"),
    ]).toEqual([true, false, false, false]);
    expect(parse(selectionRule("a.c")).selects("public", "abc")).toBe(false);
  });

  test("the first object mapping that fits a table is its mapping", () => {
    const { mappingOf } = parse(
      selectionRule("%"),
      mappingRule({
        "partition-key-type": "attribute-name",
        "partition-key-name": "aggregate_id",
        "exclude-columns": ["traceparent"],
      }),
    );
    expect(mappingOf("public", "outbox")).toEqual({
      action: "map-record-to-record",
      partitionKeyType: "attribute-name",
      partitionKey: "aggregate_id",
      excludeColumns: ["traceparent"],
    });
    expect(mappingOf("public", "inbox")).toBeUndefined();
  });

  test("a constant may be given by its value alone", () => {
    expect(
      parse(selectionRule(), mappingRule({ "partition-key": { value: "one" } })).mappingOf(
        "public",
        "outbox",
      ),
    ).toMatchObject({
      partitionKeyType: "constant",
      partitionKey: "one",
    });
  });

  test.each<[string, object[], string]>([
    [
      "no selection",
      [mappingRule()],
      "The table mappings have no selection rule that includes a table: DMS needs one with the rule-action include",
    ],
    [
      "an unknown partition-key-type",
      [selectionRule(), mappingRule({ "partition-key-type": "aggregate" })],
      'Rule "2" (map) of the table mappings has the partition-key-type "aggregate"; it must be one of schema-table, transaction-id, primary-key, constant, attribute-name',
    ],
    [
      "an attribute without its name",
      [selectionRule(), mappingRule({ "partition-key-type": "attribute-name" })],
      'Rule "2" (map) of the table mappings has the partition-key-type attribute-name, which needs the attribute\'s name as partition-key-name',
    ],
    [
      "a constant without its value",
      [selectionRule(), mappingRule({ "partition-key-type": "constant" })],
      'Rule "2" (map) of the table mappings has the partition-key-type constant, which needs "partition-key": {"value": "..."}',
    ],
    [
      "an unknown action",
      [{ ...selectionRule(), "rule-action": "choose" }],
      'Rule "1" (select) of the table mappings has the rule-action "choose"; a selection has include, exclude or explicit',
    ],
    [
      "a repeated id",
      [selectionRule(), selectionRule()],
      'Rule "1" (select) of the table mappings has the same rule-id as another rule: each needs its own',
    ],
    [
      "a transformation",
      [selectionRule(), { ...mappingRule(), "rule-type": "transformation" }],
      'Rule "2" (map) of the table mappings has the rule-type "transformation"; the stand-in knows "selection" and "object-mapping"',
    ],
    [
      "filters",
      [{ ...selectionRule(), filters: [{}] }],
      'Rule "1" (select) of the table mappings has filters, which the stand-in does not do',
    ],
    [
      "a locator without a table",
      [{ ...selectionRule(), "object-locator": { "schema-name": "public" } }],
      'Rule "1" (select) of the table mappings has an object-locator without table-name',
    ],
  ])("%s is refused", (_, rules, message) => {
    expect(() => parse(...rules)).toThrow(
      expect.objectContaining({ code: "CAPTURE_MAPPINGS_INVALID", message }) as Error,
    );
  });

  test("what is not JSON, or has no rules, is refused", () => {
    expect(() => parseTableMappings("{")).toThrow(/^The table mappings are not JSON: /);
    expect(() => parseTableMappings("[]")).toThrow(
      'The table mappings must be an object with the array "rules"',
    );
  });
});
