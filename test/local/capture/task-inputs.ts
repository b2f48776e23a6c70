import type {
  KinesisSettings,
  PostgresSettings,
  ReplicationTaskInputs,
  SourceEndpointInputs,
  TargetEndpointInputs,
} from "../../../dist/local/capture/dms-inputs.js";

/** Inputs of the three DMS resources as the program declares them. */
export interface TaskInputs {
  source: SourceEndpointInputs;
  target: TargetEndpointInputs;
  task: ReplicationTaskInputs;
}

/** What a test wants otherwise. */
export interface TaskInputOverrides {
  database?: string;
  postgres?: PostgresSettings;
  kinesis?: KinesisSettings;
  task?: Partial<ReplicationTaskInputs>;
  mapping?: object;
  /** Replaces all rules. */
  rules?: object[];
  targetMetadata?: object;
}

export const STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/outbox";

export function selectionRule(table = "outbox", schema = "public", action = "include"): object {
  return {
    "rule-type": "selection",
    "rule-id": "1",
    "rule-name": "select",
    "rule-action": action,
    "object-locator": { "schema-name": schema, "table-name": table },
  };
}

export function mappingRule(parameters: object = {}, table = "outbox"): object {
  return {
    "rule-type": "object-mapping",
    "rule-id": "2",
    "rule-name": "map",
    "rule-action": "map-record-to-record",
    "object-locator": { "schema-name": "public", "table-name": table },
    "mapping-parameters": parameters,
  };
}

export function taskInputs(overrides: TaskInputOverrides = {}): TaskInputs {
  const { database = "shop" } = overrides;
  const byAggregate = { "partition-key-type": "attribute-name", "partition-key-name": "aggregate_id" };
  return {
    source: {
      endpointType: "source",
      engineName: "postgres",
      databaseName: database,
      secretsManagerArn: "arn:aws:secretsmanager:us-east-1:000000000000:secret:capture",
      secretsManagerAccessRoleArn: "arn:aws:iam::000000000000:role/source",
      postgresSettings: {
        pluginName: "test_decoding",
        slotName: `${database}_outbox`,
        captureDdls: false,
        failTasksOnLobTruncation: true,
        ...overrides.postgres,
      },
    },
    target: {
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
    },
    task: {
      replicationTaskId: "shop-capture",
      migrationType: "cdc",
      tableMappings: JSON.stringify({
        rules: overrides.rules ?? [selectionRule(), mappingRule(overrides.mapping ?? byAggregate)],
      }),
      replicationTaskSettings: JSON.stringify({
        TargetMetadata: {
          SupportLobs: true,
          FullLobMode: false,
          LimitedSizeLobMode: true,
          LobMaxSize: 1024,
          ...overrides.targetMetadata,
        },
      }),
      ...overrides.task,
    },
  };
}
