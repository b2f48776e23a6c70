import { codedError } from "../../runtime/function/coded-error";
import type { ReplicationTaskInputs, SourceEndpointInputs, TargetEndpointInputs } from "./dms-inputs";
import { parseLsn, type Lsn } from "./lsn";
import { parseTableMappings, type PartitionKeyType, type TableMappings } from "./table-mappings";

/** What the stand-in does, read from the inputs of the DMS resources; every default is DMS's. */
export interface CaptureSettings {
  taskId: string;
  database: string;
  secretArn: string;
  secretRoleArn: string;
  slotName: string;
  /** Milliseconds. */
  executeTimeout: number;
  heartbeat: { schema: string; everyMilliseconds: number } | undefined;
  /** Where to start reading, if not at the slot's confirmed position. */
  startPosition: Lsn | undefined;
  streamArn: string;
  streamName: string;
  streamRoleArn: string;
  mappings: TableMappings;
  /** For tables whose mapping names none. */
  defaultPartitionKeyType: PartitionKeyType;
  record: RecordSettings;
}

/** How records are written. */
export interface RecordSettings {
  unformatted: boolean;
  controlDetails: boolean;
  nullAndEmpty: boolean;
  partitionValue: boolean;
  transactionDetails: boolean;
  partitionIncludesTable: boolean;
  largeIntegers: boolean;
  booleans: boolean;
  lobs: { included: boolean; maxBytes: number; failOnTruncation: boolean };
}

/**
 * Reads and checks the inputs as DMS does when an endpoint or a task is made, tested or started.
 *
 * @throws CAPTURE_SETTINGS_INVALID naming the input and what to set; CAPTURE_MAPPINGS_INVALID
 */
export function readCaptureSettings(
  source: SourceEndpointInputs,
  target: TargetEndpointInputs,
  task: ReplicationTaskInputs,
): CaptureSettings {
  check(
    source.endpointType === "source",
    "endpointType of the source endpoint",
    source.endpointType,
    'Set it to "source"',
  );
  check(
    SOURCE_ENGINES.includes(source.engineName),
    "engineName of the source endpoint",
    source.engineName,
    `Set it to ${SOURCE_ENGINES.join(" or ")}`,
  );
  check(
    target.endpointType === "target",
    "endpointType of the target endpoint",
    target.endpointType,
    'Set it to "target"',
  );
  check(
    target.engineName === "kinesis",
    "engineName of the target endpoint",
    target.engineName,
    'Set it to "kinesis"',
  );
  check(
    task.migrationType === "cdc",
    "migrationType of the replication task",
    task.migrationType,
    'Set it to "cdc": the outbox is captured from its slot, and the stand-in does no full load',
  );
  const postgres = source.postgresSettings ?? {};
  const kinesis = target.kinesisSettings ?? {};
  const slotName = postgres.slotName;
  const pluginName = postgres.pluginName ?? "test_decoding";
  check(
    PLUGIN_NAMES.includes(pluginName.toLowerCase()),
    "postgresSettings.pluginName",
    pluginName,
    'Set it to "test_decoding": the slot was made for that plugin',
  );
  check(
    postgres.captureDdls === false,
    "postgresSettings.captureDdls",
    postgres.captureDdls ?? "not set, so true",
    "Set it to false: DMS would otherwise make an event trigger, which takes a superuser",
  );
  const messageFormat = kinesis.messageFormat ?? "json";
  check(
    ["json", "json-unformatted"].includes(messageFormat),
    "kinesisSettings.messageFormat",
    messageFormat,
    'Set it to "json" or "json-unformatted"',
  );
  const [, streamName] = /^arn:[^:]+:kinesis:[^:]+:[^:]+:stream\/(.+)$/.exec(kinesis.streamArn ?? "") ?? [];
  const streamArn = present(
    streamName && kinesis.streamArn,
    "kinesisSettings.streamArn",
    "Set it to the ARN of a Kinesis stream",
  );
  const taskSettings = readTaskSettings(task.replicationTaskSettings);
  check(
    task.cdcStartTime === undefined,
    "cdcStartTime of the replication task",
    task.cdcStartTime,
    "Leave it out: PostgreSQL sources cannot start from a time",
  );
  const startPosition = task.cdcStartPosition === undefined ? undefined : parseLsn(task.cdcStartPosition);
  check(
    task.cdcStartPosition === undefined || startPosition !== undefined,
    "cdcStartPosition of the replication task",
    task.cdcStartPosition,
    'Write a position of the write-ahead log such as "2/7C007178"',
  );
  return {
    taskId: present(task.replicationTaskId, "replicationTaskId of the replication task", "Set it"),
    database: present(
      source.databaseName,
      "databaseName of the source endpoint",
      "Set it to the monolith's database",
    ),
    secretArn: present(
      source.secretsManagerArn,
      "secretsManagerArn of the source endpoint",
      "Set it to the secret of monolith_capture",
    ),
    secretRoleArn: present(
      source.secretsManagerAccessRoleArn,
      "secretsManagerAccessRoleArn of the source endpoint",
      "Set it to a role that may read the secret",
    ),
    slotName: present(
      slotName,
      "postgresSettings.slotName",
      "Set it to the slot that the migrations made; DMS would otherwise make one of its own when the task starts, and what was committed before would be lost",
    ),
    executeTimeout: (postgres.executeTimeout ?? 60) * 1000,
    heartbeat: heartbeatOf(postgres),
    startPosition,
    streamArn,
    streamName: streamName ?? "",
    streamRoleArn: present(
      kinesis.serviceAccessRoleArn,
      "kinesisSettings.serviceAccessRoleArn",
      "Set it to a role that may write to the stream",
    ),
    mappings: parseTableMappings(task.tableMappings),
    // AWS DMS user guide, Kinesis target: "When using ParallelApply* task settings, the partition-key-type default is the
    // primary-key of the table, not schema-name.table-name".
    defaultPartitionKeyType: taskSettings.parallel ? "primary-key" : "schema-table",
    record: {
      unformatted: messageFormat === "json-unformatted",
      controlDetails: kinesis.includeControlDetails ?? false,
      nullAndEmpty: kinesis.includeNullAndEmpty ?? false,
      partitionValue: kinesis.includePartitionValue ?? false,
      transactionDetails: kinesis.includeTransactionDetails ?? false,
      partitionIncludesTable: kinesis.partitionIncludeSchemaTable ?? false,
      largeIntegers: kinesis.useLargeIntegerValue ?? false,
      booleans: postgres.mapBooleanAsBoolean ?? false,
      lobs: { ...taskSettings.lobs, failOnTruncation: postgres.failTasksOnLobTruncation ?? false },
    },
  };
}

const SOURCE_ENGINES = ["postgres", "aurora-postgresql"];
/** Pulumi's documentation writes the second form. */
const PLUGIN_NAMES = ["test_decoding", "test-decoding"];
/** DMS's default LobMaxSize, in KiB. */
const DEFAULT_LOB_KIBIBYTES = 32;
/** DMS's largest LobMaxSize, in KiB. */
const MAX_LOB_KIBIBYTES = 102_400;

function heartbeatOf(
  postgres: NonNullable<SourceEndpointInputs["postgresSettings"]>,
): CaptureSettings["heartbeat"] {
  if (!postgres.heartbeatEnable) return undefined;
  const minutes = postgres.heartbeatFrequency ?? 5;
  check(
    Number.isInteger(minutes) && minutes >= 1,
    "postgresSettings.heartbeatFrequency",
    minutes,
    "Set it to whole minutes, 1 or more",
  );
  return { schema: postgres.heartbeatSchema ?? "public", everyMilliseconds: minutes * 60_000 };
}

function readTaskSettings(json: string | undefined) {
  let settings: { TargetMetadata?: Record<string, unknown> };
  try {
    settings = JSON.parse(json ?? "{}") as typeof settings;
  } catch (cause) {
    throw codedError(
      "CAPTURE_SETTINGS_INVALID",
      `The replicationTaskSettings are not JSON: ${(cause as Error).message}`,
      { cause },
    );
  }
  const metadata = settings.TargetMetadata ?? {};
  const name = (field: string) => `TargetMetadata.${field} of the task settings`;
  check(
    metadata["FullLobMode"] !== true,
    name("FullLobMode"),
    true,
    "Set it to false and LimitedSizeLobMode to true: Kinesis takes no full LOBs",
  );
  check(
    metadata["BatchApplyEnabled"] !== true,
    name("BatchApplyEnabled"),
    true,
    "Set it to false: with Kinesis, batches may lose data",
  );
  const threads = Number(metadata["ParallelApplyThreads"] ?? 0);
  check(
    Number.isInteger(threads) && threads >= 0 && threads <= 32,
    name("ParallelApplyThreads"),
    threads,
    "Set it to 0 .. 32",
  );
  const lobKibibytes = Number(metadata["LobMaxSize"] ?? DEFAULT_LOB_KIBIBYTES);
  check(
    Number.isInteger(lobKibibytes) && lobKibibytes >= 1 && lobKibibytes <= MAX_LOB_KIBIBYTES,
    name("LobMaxSize"),
    lobKibibytes,
    `Set it to 1 .. ${MAX_LOB_KIBIBYTES} KiB`,
  );
  return {
    parallel: threads > 0,
    lobs: { included: metadata["SupportLobs"] !== false, maxBytes: lobKibibytes * 1024 },
  };
}

function present(value: string | undefined, name: string, remedy: string): string {
  if (value) return value;
  throw codedError("CAPTURE_SETTINGS_INVALID", `The input ${name} is missing. ${remedy}`);
}

function check(holds: boolean, name: string, value: unknown, remedy: string): void {
  if (holds) return;
  throw codedError("CAPTURE_SETTINGS_INVALID", `The input ${name} is "${String(value)}". ${remedy}`);
}
