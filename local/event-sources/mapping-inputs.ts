import { z } from "zod";
import { codedError } from "../../runtime/function/coded-error";

/** The services whose event source mappings run locally. */
export type SourceService = "kinesis" | "dynamodb" | "sqs";

/**
 * The inputs of an `aws:lambda/eventSourceMapping:EventSourceMapping`, spelled as in the Pulumi AWS provider. The
 * schemas below support what the program declares; `readMapping` refuses every other input and every other value.
 */
export interface EventSourceMappingInputs {
  eventSourceArn: string;
  functionName: string;
  [input: string]: unknown;
}

interface CommonMapping {
  sourceArn: string;
  /** Without account and region. */
  functionName: string;
  batchSize: number;
}

/** A mapping of a Kinesis stream or of a DynamoDB table's stream. */
export interface StreamMapping extends CommonMapping {
  service: "kinesis" | "dynamodb";
  /** DynamoDB: changes with another name are not delivered. Absent: all changes are delivered. */
  eventNames?: readonly string[];
}

/** A mapping of a standard queue. */
export interface QueueMapping extends CommonMapping {
  service: "sqs";
  maximumConcurrency?: number;
}

export type Mapping = StreamMapping | QueueMapping;

/** Inputs that do not change what is delivered. */
const WITHOUT_EFFECT = ["region", "tags", "tagsAll"];

const RESPONSE_TYPE = "ReportBatchItemFailures";

const common = {
  eventSourceArn: z.string(),
  functionName: z.string().regex(/^(arn:aws:lambda:[^:]+:\d+:function:)?[^:]+$/, "expected no qualifier"),
  // Without it, AWS does not read which records of a batch failed.
  functionResponseTypes: z.tuple([z.literal(RESPONSE_TYPE)], `expected ["${RESPONSE_TYPE}"]`),
};

const queueInputs = z.strictObject({
  ...common,
  // More than one ReceiveMessage call returns needs a batching window.
  batchSize: z.int().min(1).max(10).default(10),
  scalingConfig: z.strictObject({ maximumConcurrency: z.int().min(2).max(1000) }).optional(),
});

const kinesisInputs = z.strictObject({
  ...common,
  // At most what one GetRecords call of DynamoDB Streams returns.
  batchSize: z.int().min(1).max(1000).default(100),
  startingPosition: z.literal("TRIM_HORIZON"),
  bisectBatchOnFunctionError: z.literal(true),
  // -1: without limit, which is the default too.
  maximumRetryAttempts: z.literal(-1).optional(),
  maximumRecordAgeInSeconds: z.literal(-1).optional(),
});

const eventNamePattern = z
  .string()
  .transform((text, { addIssue }) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      addIssue("expected JSON");
      return z.NEVER;
    }
  })
  .pipe(z.strictObject({ eventName: z.array(z.enum(["INSERT", "MODIFY", "REMOVE"])).min(1) }));

const dynamodbInputs = kinesisInputs.extend({
  filterCriteria: z
    .strictObject({ filters: z.tuple([z.strictObject({ pattern: eventNamePattern })]) })
    .optional(),
});

/**
 * Checks a mapping's inputs and fills in AWS's defaults.
 *
 * @throws EVENT_SOURCE_UNSUPPORTED for a source, an input or a value that the local event sources do not support
 */
export function readMapping(inputs: EventSourceMappingInputs): Mapping {
  const { service } = readSourceArn(inputs.eventSourceArn);
  const isDeclared = ([name, value]: [string, unknown]) =>
    value !== undefined && !WITHOUT_EFFECT.includes(name);
  const declared = Object.fromEntries(Object.entries(inputs).filter(isDeclared));
  if (service === "sqs") {
    const { scalingConfig, ...checked } = check(queueInputs, declared, inputs);
    return { service, ...commonMapping(checked), ...scalingConfig };
  }
  if (service === "kinesis") return { service, ...commonMapping(check(kinesisInputs, declared, inputs)) };
  const { filterCriteria, ...checked } = check(dynamodbInputs, declared, inputs);
  const eventNames = filterCriteria?.filters[0].pattern.eventName;
  return { service, ...commonMapping(checked), ...(eventNames && { eventNames }) };
}

/** What the ARN of an event source says. */
export interface SourceArn {
  service: SourceService;
  region: string;
  accountId: string;
  /** Name of the stream, table or queue. */
  name: string;
}

const RESOURCES: Record<SourceService, RegExp> = {
  kinesis: /^stream\/([^/]+)$/,
  dynamodb: /^table\/([^/]+)\/stream\/.+$/,
  sqs: /^(?!.*\.fifo$)(.+)$/,
};

/**
 * Reads the ARN of a Kinesis stream, of a DynamoDB table's stream or of a standard queue.
 *
 * @throws EVENT_SOURCE_UNSUPPORTED for any other ARN
 */
export function readSourceArn(arn: string): SourceArn {
  const [, , service = "", region = "", accountId = "", ...rest] = arn.split(":");
  const name = isService(service) ? RESOURCES[service].exec(rest.join(":"))?.[1] : undefined;
  if (isService(service) && name !== undefined) return { service, region, accountId, name };
  throw codedError(
    "EVENT_SOURCE_UNSUPPORTED",
    `The event source "${arn}" is not the ARN of a Kinesis stream, a DynamoDB stream or a standard queue. ` +
      "The local event sources support no others. For a table, pass its streamArn, not its arn.",
  );
}

function isService(service: string): service is SourceService {
  return Object.hasOwn(RESOURCES, service);
}

function commonMapping({
  eventSourceArn,
  functionName,
  batchSize,
}: z.output<typeof kinesisInputs | typeof queueInputs>): CommonMapping {
  return { sourceArn: eventSourceArn, functionName: functionName.split(":").at(-1) ?? "", batchSize };
}

function check<S extends z.ZodType>(
  schema: S,
  declared: object,
  { eventSourceArn, functionName }: EventSourceMappingInputs,
): z.output<S> {
  const checked = schema.safeParse(declared, { reportInput: true });
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(
    ({ path, message, input }) => `${path.join(".") || "inputs"}: ${message}, got ${JSON.stringify(input)}`,
  );
  throw codedError(
    "EVENT_SOURCE_UNSUPPORTED",
    `The local event sources do not support the event source mapping of "${eventSourceArn}" to "${functionName}": ` +
      `${problems.join("; ")}. Change the mapping, or extend local/event-sources.`,
  );
}
