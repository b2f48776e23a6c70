import { codedError } from "../../runtime/function/coded-error";
import { compileFilters, type RecordFilter } from "./record-filter";
import { readSourceArn, type SourceService } from "./source-arn";

/**
 * The inputs of an `aws:lambda/eventSourceMapping:EventSourceMapping`, as the Pulumi AWS provider spells them. `tags`, `region` and
 * other inputs that do not change what is delivered may be present and are ignored.
 */
export interface EventSourceMappingInputs {
  eventSourceArn: string;
  /** A function's name or ARN, with or without a qualifier. */
  functionName: string;
  enabled?: boolean | undefined;
  batchSize?: number | undefined;
  maximumBatchingWindowInSeconds?: number | undefined;
  startingPosition?: string | undefined;
  functionResponseTypes?: readonly string[] | undefined;
  bisectBatchOnFunctionError?: boolean | undefined;
  maximumRetryAttempts?: number | undefined;
  maximumRecordAgeInSeconds?: number | undefined;
  parallelizationFactor?: number | undefined;
  destinationConfig?: { onFailure?: { destinationArn: string } | undefined } | undefined;
  filterCriteria?: { filters?: readonly { pattern?: string | undefined }[] | undefined } | undefined;
  scalingConfig?: { maximumConcurrency?: number | undefined } | undefined;
}

/** What a stream and a queue mapping have in common, with AWS's defaults filled in. */
interface CommonMapping {
  sourceArn: string;
  /** Name of the stream, table or queue. */
  sourceName: string;
  /** Without account and qualifier. */
  functionName: string;
  /** Version or alias to invoke, if one is declared. */
  qualifier?: string;
  enabled: boolean;
  batchSize: number;
  batchingWindowMilliseconds: number;
  reportBatchItemFailures: boolean;
  /** True for a record that is delivered. */
  accepts: RecordFilter;
}

/** A mapping of a Kinesis stream or of a DynamoDB table's stream. */
export interface StreamMapping extends CommonMapping {
  service: "kinesis" | "dynamodb";
  startingPosition: "TRIM_HORIZON" | "LATEST";
  bisectBatchOnFunctionError: boolean;
  /** Infinity where the input is -1 or absent. */
  maximumRetryAttempts: number;
  /** Infinity where the input is -1 or absent. */
  maximumRecordAgeMilliseconds: number;
  parallelizationFactor: number;
  /** ARN of the queue that is told of discarded records. */
  onFailureArn?: string;
}

/** A mapping of a standard queue. */
export interface QueueMapping extends CommonMapping {
  service: "sqs";
  maximumConcurrency?: number;
}

export type Mapping = StreamMapping | QueueMapping;

/**
 * Checks a mapping's inputs and fills in AWS's defaults and limits. Source: AWS Lambda developer guide, "Lambda parameters for
 * Amazon Kinesis Data Streams / DynamoDB / Amazon SQS event source mappings".
 *
 * @throws EVENT_SOURCE_INVALID for inputs that AWS refuses
 * @throws EVENT_SOURCE_UNSUPPORTED for inputs that AWS takes and this implementation does not
 * @throws FILTER_INVALID, FILTER_UNSUPPORTED for filter criteria, likewise
 */
export function readMapping(inputs: EventSourceMappingInputs): Mapping {
  const source = readSourceArn(inputs.eventSourceArn);
  refuseUnsupported(inputs);
  refuseForeignInputs(inputs, source.service);
  const isQueue = source.service === "sqs";
  const common: CommonMapping = {
    sourceArn: inputs.eventSourceArn,
    sourceName: source.name,
    ...functionReference(inputs.functionName),
    enabled: inputs.enabled ?? true,
    batchSize: within(inputs, "batchSize", inputs.batchSize, isQueue ? 10 : 100, 1, 10_000),
    batchingWindowMilliseconds:
      within(inputs, "maximumBatchingWindowInSeconds", inputs.maximumBatchingWindowInSeconds, 0, 0, 300) *
      1000,
    reportBatchItemFailures: (inputs.functionResponseTypes ?? []).includes("ReportBatchItemFailures"),
    accepts: compileFilters(
      source.service,
      (inputs.filterCriteria?.filters ?? []).map(({ pattern }) => pattern ?? ""),
    ),
  };
  return source.service === "sqs"
    ? queueMapping(inputs, common)
    : streamMapping(inputs, common, source.service);
}

const STREAM_INPUTS = [
  "startingPosition",
  "bisectBatchOnFunctionError",
  "maximumRetryAttempts",
  "maximumRecordAgeInSeconds",
  "parallelizationFactor",
  "destinationConfig",
] as const;
const UNSUPPORTED_INPUTS = [
  "tumblingWindowInSeconds",
  "startingPositionTimestamp",
  "provisionedPollerConfig",
  "selfManagedEventSource",
  "amazonManagedKafkaEventSourceConfig",
  "documentDbEventSourceConfig",
];

function queueMapping(inputs: EventSourceMappingInputs, common: CommonMapping): QueueMapping {
  if (common.batchSize > 10 && common.batchingWindowMilliseconds < 1000) {
    throw invalid(
      inputs,
      "batchSize",
      common.batchSize,
      "above 10 needs a maximumBatchingWindowInSeconds of at least 1",
    );
  }
  const declared = inputs.scalingConfig?.maximumConcurrency;
  if (declared === undefined) return { ...common, service: "sqs" };
  return {
    ...common,
    service: "sqs",
    maximumConcurrency: within(inputs, "maximumConcurrency", declared, 2, 2, 1000),
  };
}

function streamMapping(
  inputs: EventSourceMappingInputs,
  common: CommonMapping,
  service: "kinesis" | "dynamodb",
): StreamMapping {
  const { startingPosition, destinationConfig } = inputs;
  if (startingPosition !== "TRIM_HORIZON" && startingPosition !== "LATEST") {
    throw invalid(inputs, "startingPosition", startingPosition, 'must be "TRIM_HORIZON" or "LATEST"');
  }
  if (inputs.scalingConfig !== undefined) throw invalid(inputs, "scalingConfig", "set", "is for queues only");
  const onFailureArn = destinationConfig?.onFailure?.destinationArn;
  if (onFailureArn !== undefined && !onFailureArn.startsWith("arn:aws:sqs:")) {
    throw unsupported(inputs, `the on-failure destination "${onFailureArn}"`, "use a queue");
  }
  const retries = within(inputs, "maximumRetryAttempts", inputs.maximumRetryAttempts, -1, -1, 10_000);
  const age = within(inputs, "maximumRecordAgeInSeconds", inputs.maximumRecordAgeInSeconds, -1, -1, 604_800);
  return {
    ...common,
    service,
    startingPosition,
    bisectBatchOnFunctionError: inputs.bisectBatchOnFunctionError ?? false,
    maximumRetryAttempts: retries === -1 ? Infinity : retries,
    maximumRecordAgeMilliseconds: age === -1 ? Infinity : age * 1000,
    parallelizationFactor: within(inputs, "parallelizationFactor", inputs.parallelizationFactor, 1, 1, 10),
    ...(onFailureArn === undefined ? {} : { onFailureArn }),
  };
}

function refuseUnsupported(inputs: EventSourceMappingInputs): void {
  const present = UNSUPPORTED_INPUTS.find(
    (name) => (inputs as unknown as Record<string, unknown>)[name] !== undefined,
  );
  if (present !== undefined) throw unsupported(inputs, `"${present}"`, "leave it out");
}

function refuseForeignInputs(inputs: EventSourceMappingInputs, service: SourceService): void {
  if (service !== "sqs") return;
  const foreign = STREAM_INPUTS.find((name) => inputs[name] !== undefined);
  if (foreign !== undefined)
    throw invalid(inputs, foreign, "set", "is for streams only; AWS refuses it for a queue");
}

/** "name", "name:alias", or an ARN that ends in ":function:name" with an optional qualifier. */
function functionReference(reference: string): { functionName: string; qualifier?: string } {
  const tail = reference.includes(":function:")
    ? reference.slice(reference.indexOf(":function:") + 10)
    : reference;
  const [functionName = "", qualifier] = tail.split(":");
  return qualifier === undefined || qualifier === "$LATEST" ? { functionName } : { functionName, qualifier };
}

function within(
  inputs: EventSourceMappingInputs,
  name: string,
  value: number | undefined,
  fallback: number,
  minimum: number,
  maximum: number,
): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw invalid(inputs, name, value, `must be a whole number from ${minimum} to ${maximum}`);
}

function invalid(inputs: EventSourceMappingInputs, name: string, value: unknown, rule: string) {
  return codedError(
    "EVENT_SOURCE_INVALID",
    `The event source mapping of "${inputs.eventSourceArn}" to "${inputs.functionName}" has ${name} "${String(value)}", which ${rule}.`,
  );
}

function unsupported(inputs: EventSourceMappingInputs, what: string, remedy: string) {
  return codedError(
    "EVENT_SOURCE_UNSUPPORTED",
    `The event source mapping of "${inputs.eventSourceArn}" to "${inputs.functionName}" declares ${what}, which the local event sources do not do: ${remedy}, or run on AWS.`,
  );
}
