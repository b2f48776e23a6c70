/**
 * The inputs of the DMS resources that the program declares, resolved: all that the stand-in for DMS knows of them. Names and
 * values are those of Pulumi's AWS provider; other inputs are accepted and have no effect on a laptop.
 */

/** `aws:dms/endpoint:Endpoint` with endpointType "source". */
export interface SourceEndpointInputs {
  endpointType: string;
  engineName: string;
  databaseName?: string;
  secretsManagerArn?: string;
  secretsManagerAccessRoleArn?: string;
  postgresSettings?: PostgresSettings;
}

/** `postgresSettings` of a source endpoint. */
export interface PostgresSettings {
  pluginName?: string;
  slotName?: string;
  /** @default true */
  captureDdls?: boolean;
  /** @default false */
  failTasksOnLobTruncation?: boolean;
  /** @default false */
  heartbeatEnable?: boolean;
  /** Minutes. @default 5 */
  heartbeatFrequency?: number;
  /** @default "public" */
  heartbeatSchema?: string;
  /** Seconds. @default 60 */
  executeTimeout?: number;
  /** @default false: a boolean arrives as "true" or "false" */
  mapBooleanAsBoolean?: boolean;
}

/** `aws:dms/endpoint:Endpoint` with endpointType "target". */
export interface TargetEndpointInputs {
  endpointType: string;
  engineName: string;
  kinesisSettings?: KinesisSettings;
}

/** `kinesisSettings` of a target endpoint; every switch is off by default. */
export interface KinesisSettings {
  streamArn?: string;
  serviceAccessRoleArn?: string;
  /** "json" or "json-unformatted". @default "json" */
  messageFormat?: string;
  includeControlDetails?: boolean;
  includeNullAndEmpty?: boolean;
  includePartitionValue?: boolean;
  includeTableAlterOperations?: boolean;
  includeTransactionDetails?: boolean;
  partitionIncludeSchemaTable?: boolean;
  useLargeIntegerValue?: boolean;
}

/** `aws:dms/replicationTask:ReplicationTask`. */
export interface ReplicationTaskInputs {
  replicationTaskId: string;
  migrationType: string;
  /** JSON: selection and object-mapping rules. */
  tableMappings: string;
  /** JSON: task settings. */
  replicationTaskSettings?: string;
  /** An LSN, not older than the slot's confirmed position. */
  cdcStartPosition?: string;
  cdcStartTime?: string;
}

/** What the source endpoint's secret holds. */
export interface DatabaseSecret {
  username: string;
  password: string;
  host: string;
  port: number;
}
