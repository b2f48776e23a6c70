import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { codedError, shortened } from "../../runtime/function/coded-error";
import { HEARTBEAT_SCHEMA } from "../../runtime/postgres/names";
import { type Lsn, parseLsn } from "./lsn";

/** The inputs of the DMS resources that the program declares, resolved, as Pulumi's AWS provider names them. */
export interface DeclaredReplication {
  /** `aws:dms/endpoint:Endpoint` with endpointType "source". */
  source: unknown;
  /** `aws:dms/endpoint:Endpoint` with endpointType "target". */
  target: unknown;
  /** `aws:dms/replicationTask:ReplicationTask`. */
  task: unknown;
}

/** What the local capture does, read from the declared inputs. */
export interface CaptureSettings {
  taskId: string;
  database: string;
  secretArn: string;
  secretRoleArn: string;
  slotName: string;
  /** From where the task is declared to start; nothing before it is captured. */
  startPosition: Lsn;
  heartbeat: { schema: string; everyMilliseconds: number };
  streamArn: string;
  streamRoleArn: string;
  /** The table that is captured. */
  table: { schema: string; name: string };
  /** The column that a record's partition key is taken from. */
  partitionKeyColumn: string;
  /** The largest LOB that is captured, in bytes as DMS counts them. */
  maxLobBytes: number;
}

/**
 * Reads and checks what the program declares for DMS (components/monolith/replication.ts). Every other input and
 * value is refused, so that a wrong declaration fails on the laptop. An input that is left out is refused too: the
 * program relies on none of DMS's defaults.
 *
 * @throws CAPTURE_SETTINGS_INVALID, CAPTURE_MAPPINGS_INVALID, naming each wrong input, its value and the remedy
 */
export function readCaptureSettings(declared: DeclaredReplication): CaptureSettings {
  const parsed = REPLICATION.safeParse(declared, { reportInput: true });
  if (!parsed.success) {
    const { issues } = parsed.error;
    const inMappings = issues.every(({ path }) => path.includes("tableMappings"));
    throw codedError(
      inMappings ? "CAPTURE_MAPPINGS_INVALID" : "CAPTURE_SETTINGS_INVALID",
      issues.flatMap(problemsOf).join("\n"),
    );
  }
  const inputs = parsed.data;
  const { postgresSettings } = inputs.source;
  const [selection, mapping] = inputs.task.tableMappings.rules;
  return {
    taskId: inputs.task.replicationTaskId,
    database: inputs.source.databaseName,
    secretArn: inputs.source.secretsManagerArn,
    secretRoleArn: inputs.source.secretsManagerAccessRoleArn,
    slotName: postgresSettings.slotName,
    startPosition: inputs.task.cdcStartPosition,
    heartbeat: {
      schema: postgresSettings.heartbeatSchema,
      everyMilliseconds: postgresSettings.heartbeatFrequency * 60_000,
    },
    streamArn: inputs.target.kinesisSettings.streamArn,
    streamRoleArn: inputs.target.kinesisSettings.serviceAccessRoleArn,
    table: {
      schema: selection["object-locator"]["schema-name"],
      name: selection["object-locator"]["table-name"],
    },
    partitionKeyColumn: mapping["mapping-parameters"]["partition-key-name"],
    maxLobBytes: inputs.task.replicationTaskSettings.TargetMetadata.LobMaxSize * 1024,
  };
}

/** DMS's largest LobMaxSize, in KiB. */
const MAX_LOB_KIBIBYTES = 102_400;

function exactly<const T extends string | number | boolean>(value: T, reason?: string) {
  return z.literal(value, `Set it to ${JSON.stringify(value)}${reason === undefined ? "" : `: ${reason}`}.`);
}

function text(what: string, form = /./) {
  return z.string(`Set it to ${what}.`).regex(form, `Set it to ${what}.`);
}

function whole(remedy: string, max?: number) {
  const number = z.int(remedy).min(1, remedy);
  return max === undefined ? number : number.max(max, remedy);
}

function position() {
  const remedy =
    "Set it to the position of the slot, e.g. 2/7C007178: DMS refuses a task that names a slot without one.";
  return z.string(remedy).transform((value, context): Lsn => {
    const lsn = parseLsn(value);
    if (lsn !== undefined) return lsn;
    context.addIssue({ code: "custom", input: value, message: remedy });
    return z.NEVER;
  });
}

function json<T extends z.ZodType>(schema: T) {
  return z
    .string("Set it to a JSON text.")
    .transform((value, context): unknown => {
      try {
        return JSON.parse(value);
      } catch (cause) {
        context.addIssue({ code: "custom", input: value, message: `It is not JSON: ${String(cause)}.` });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

/** These do not change what is captured; the provisioner reports those that have no effect locally. */
const ENDPOINT = {
  endpointId: z.string(),
  sslMode: z.string().optional(),
  certificateArn: z.string().optional(),
  kmsKeyArn: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
};

const SOURCE = z.strictObject({
  ...ENDPOINT,
  endpointType: exactly("source"),
  engineName: exactly("postgres"),
  databaseName: text("the monolith's database"),
  secretsManagerArn: text("the secret of monolith_capture"),
  secretsManagerAccessRoleArn: text("a role that may read the secret"),
  postgresSettings: z.strictObject({
    pluginName: exactly(
      "test-decoding",
      "the migrations create the slot for the plugin test_decoding, which DMS's API names so",
    ),
    slotName: text(
      "the slot that the migrations create; otherwise DMS creates its own when the task starts, and loses earlier events",
    ),
    captureDdls: exactly(false, "otherwise DMS creates an event trigger, which needs a superuser"),
    failTasksOnLobTruncation: exactly(true, "otherwise DMS truncates a large payload silently"),
    heartbeatEnable: exactly(
      true,
      "otherwise the slot of an idle database retains the log until the disk is full",
    ),
    heartbeatFrequency: whole("Set it to whole minutes, 1 or more."),
    heartbeatSchema: text(`"${HEARTBEAT_SCHEMA}", which the migrations create; DMS's default is "public"`),
  }),
});

const TARGET = z.strictObject({
  ...ENDPOINT,
  endpointType: exactly("target"),
  engineName: exactly("kinesis"),
  kinesisSettings: z.strictObject({
    streamArn: text("the ARN of a Kinesis stream", /^arn:[^:]+:kinesis:[^:]+:[^:]+:stream\/.+$/),
    serviceAccessRoleArn: text("a role that may write to the stream"),
    messageFormat: exactly("json-unformatted", "the local capture supports only that format"),
    includeTransactionDetails: exactly(true, "otherwise records do not say when they were committed"),
    includePartitionValue: exactly(true, "otherwise records do not say how they are keyed"),
    includeNullAndEmpty: exactly(true, "otherwise DMS omits columns that are null or empty"),
  }),
});

const RULE = {
  "rule-id": text("an ID that no other rule has"),
  "rule-name": text("a name that no other rule has"),
  "object-locator": z.strictObject({
    "schema-name": text("one schema, without wildcards", /^[^%]+$/),
    "table-name": text("one table, without wildcards", /^[^%]+$/),
  }),
};
const SELECTION = z.strictObject({
  ...RULE,
  "rule-type": exactly("selection"),
  "rule-action": exactly("include"),
  filters: z.array(z.unknown()).max(0, "Remove the filters: the local capture does not support them."),
});
const OBJECT_MAPPING = z.strictObject({
  ...RULE,
  "rule-type": exactly("object-mapping"),
  "rule-action": exactly("map-record-to-record", 'the relay reads the columns directly from "data"'),
  "mapping-parameters": z.strictObject({
    "partition-key-type": exactly(
      "attribute-name",
      "DMS's other types put all events on one shard, or one aggregate's events on several",
    ),
    "partition-key-name": text("the column that records are keyed by"),
  }),
});
const RULES = z
  .tuple(
    [SELECTION, OBJECT_MAPPING],
    "Set them to one selection rule and one object-mapping rule. Without the latter, DMS uses the table's name as the " +
      "partition key and puts all events on one shard.",
  )
  .refine(
    ([one, other]) => one["rule-id"] !== other["rule-id"] && one["rule-name"] !== other["rule-name"],
    "Give each rule its own rule-id and rule-name.",
  )
  .refine(
    ([one, other]) => isDeepStrictEqual(one["object-locator"], other["object-locator"]),
    "Name the same table in both rules: otherwise DMS captures it with its default partition key.",
  );

const STOPS_TASK = exactly("STOP_TASK", "a task that continues loses the event");

const TASK = z.strictObject({
  replicationTaskId: text("the task's ID"),
  replicationInstanceArn: z.string(),
  sourceEndpointArn: z.string(),
  targetEndpointArn: z.string(),
  tags: ENDPOINT.tags,
  cdcStartPosition: position(),
  migrationType: exactly("cdc", "the outbox is captured from its slot, without a full load"),
  startReplicationTask: exactly(true, "otherwise nothing is captured until the task is started by hand"),
  tableMappings: json(z.strictObject({ rules: RULES })),
  replicationTaskSettings: json(
    z.strictObject({
      TargetMetadata: z.strictObject({
        SupportLobs: exactly(true, "DMS treats a payload as a LOB, and would omit it"),
        FullLobMode: exactly(false, "Kinesis targets do not support full LOB mode"),
        LimitedSizeLobMode: exactly(true, "Kinesis targets support only LOBs of limited size"),
        LobMaxSize: whole(`Set it to 1 .. ${MAX_LOB_KIBIBYTES} KiB.`, MAX_LOB_KIBIBYTES),
        BatchApplyEnabled: exactly(false, "with Kinesis, batches may lose data"),
        ParallelApplyThreads: exactly(0, "several threads may reorder one aggregate's events"),
      }),
      Logging: z.strictObject({ EnableLogging: z.boolean() }),
      ErrorBehavior: z.strictObject({
        DataTruncationErrorPolicy: STOPS_TASK,
        DataErrorPolicy: STOPS_TASK,
        TableErrorPolicy: STOPS_TASK,
        RecoverableErrorCount: exactly(-1, "the task must wait for the database or Kinesis without end"),
      }),
    }),
  ),
});

const REPLICATION = z.object({ source: SOURCE, target: TARGET, task: TASK });
const RESOURCES = {
  source: "the source endpoint",
  target: "the target endpoint",
  task: "the replication task",
};

function problemsOf(issue: z.core.$ZodIssue): string[] {
  const [resource, ...path] = issue.path;
  const of = RESOURCES[resource as keyof typeof RESOURCES];
  if (issue.code !== "unrecognized_keys")
    return [`The input ${path.join(".")} of ${of} is ${quoted(issue.input)}. ${issue.message}`];
  return issue.keys.map((key) => {
    const value = quoted((issue.input as Record<string, unknown>)[key]);
    return `The input ${[...path, key].join(".")} of ${of} is ${value}. The local capture does not support it: remove it.`;
  });
}

function quoted(value: unknown): string {
  if (value === undefined) return "not set";
  return `"${shortened(typeof value === "string" ? value : JSON.stringify(value))}"`;
}
