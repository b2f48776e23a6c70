import type { DeclaredReplication } from "../../../dist/local/capture/settings.js";
import {
  replicationTaskSettings,
  tableMappings,
} from "../../../dist/components/monolith/replication-settings.js";

/** What a test declares differently; undefined leaves an input out. */
export interface TaskInputOverrides {
  database?: string;
  source?: object;
  postgres?: object;
  target?: object;
  kinesis?: object;
  task?: object;
  /** Replaces all rules. */
  rules?: object[];
  targetMetadata?: object;
  errorBehavior?: object;
}

export const STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/outbox";

/** The inputs of the three DMS resources as the program declares them; settings.unit.test.ts compares them with it. */
export function taskInputs(overrides: TaskInputOverrides = {}): DeclaredReplication {
  const { database = "shop", rules, targetMetadata, errorBehavior } = overrides;
  const settings = replicationTaskSettings() as Record<"TargetMetadata" | "ErrorBehavior", object>;
  return {
    source: {
      endpointId: "shop-source",
      endpointType: "source",
      engineName: "postgres",
      databaseName: database,
      sslMode: "none",
      secretsManagerArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:capture",
      secretsManagerAccessRoleArn: "arn:aws:iam::000000000000:role/source",
      postgresSettings: {
        pluginName: "test-decoding",
        slotName: `${database}_outbox`,
        captureDdls: false,
        failTasksOnLobTruncation: true,
        heartbeatEnable: true,
        heartbeatFrequency: 5,
        heartbeatSchema: "awsdms",
        ...overrides.postgres,
      },
      ...overrides.source,
    },
    target: {
      endpointId: "shop-target",
      endpointType: "target",
      engineName: "kinesis",
      kinesisSettings: {
        streamArn: STREAM_ARN,
        serviceAccessRoleArn: "arn:aws:iam::000000000000:role/target",
        messageFormat: "json-unformatted",
        includeTransactionDetails: true,
        includePartitionValue: true,
        includeNullAndEmpty: true,
        ...overrides.kinesis,
      },
      ...overrides.target,
    },
    task: {
      replicationTaskId: "shop-capture",
      migrationType: "cdc",
      // Before the start of any slot: a task goes on from where its slot was confirmed.
      cdcStartPosition: "0/1",
      replicationInstanceArn: "arn:aws:dms:us-east-1:000000000000:rep:shop",
      sourceEndpointArn: "arn:aws:dms:us-east-1:000000000000:endpoint:source",
      targetEndpointArn: "arn:aws:dms:us-east-1:000000000000:endpoint:target",
      tableMappings: JSON.stringify(rules ? { rules } : tableMappings()),
      replicationTaskSettings: JSON.stringify({
        ...settings,
        TargetMetadata: { ...settings.TargetMetadata, ...targetMetadata },
        ErrorBehavior: { ...settings.ErrorBehavior, ...errorBehavior },
      }),
      startReplicationTask: true,
      ...overrides.task,
    },
  };
}

/** The two rules as the program declares them, with what a test changes of each. */
export function rulesWith(selection: object = {}, mapping: object = {}): object[] {
  const [declaredSelection, declaredMapping] = (tableMappings() as { rules: [object, object] }).rules;
  return [
    { ...declaredSelection, ...selection },
    { ...declaredMapping, ...mapping },
  ];
}

/** The two rules, for another table or another column. */
export function rulesFor(table: string, partitionKeyColumn: string, schema = "public"): object[] {
  const locator = { "object-locator": { "schema-name": schema, "table-name": table } };
  const parameters = { "partition-key-type": "attribute-name", "partition-key-name": partitionKeyColumn };
  return rulesWith(locator, { ...locator, "mapping-parameters": parameters });
}
