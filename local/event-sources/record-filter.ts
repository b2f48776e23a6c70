import { codedError } from "../../runtime/function/coded-error";
import { compilePattern, type Matcher } from "./filter-pattern";
import type { SourceRecord } from "./observation";
import type { SourceService } from "./source-arn";

/** True for a record that is delivered; what is not counts as processed. */
export type RecordFilter = (record: SourceRecord) => boolean;

/** AWS's default quota: five filters a mapping, ten on request. */
const MAX_FILTERS = 10;
/** Where the payload is, by service: AWS filters a Kinesis record by `data` only and a message by `body` only. */
const PAYLOAD_KEYS: Partial<Record<SourceService, string>> = { kinesis: "data", sqs: "body" };

/**
 * Compiles the filters of a mapping; a record passes if any of them matches, and every record passes if there is none.
 *
 * "As long as the data the producer puts into the stream is valid JSON, you can use event filtering to filter records using the data
 * key"; a record whose payload is not JSON is dropped by a JSON pattern, and one whose payload is JSON by a plain text pattern. Source:
 * AWS Lambda developer guide, "Using event filtering with a Kinesis event source" (likewise for DynamoDB and Amazon SQS).
 *
 * @param patterns the JSON texts of `filterCriteria.filters`
 * @throws FILTER_INVALID, FILTER_UNSUPPORTED
 */
export function compileFilters(service: SourceService, patterns: readonly string[]): RecordFilter {
  if (patterns.length === 0) return () => true;
  if (patterns.length > MAX_FILTERS) {
    throw codedError(
      "FILTER_INVALID",
      `There are ${patterns.length} event filters and AWS takes ${MAX_FILTERS} at most. Join some.`,
    );
  }
  const matchers = patterns.map((text) => compileFilter(service, text));
  return (record) => {
    const view = filterView(record);
    return matchers.some((matches) => matches(view));
  };
}

function compileFilter(service: SourceService, text: string): Matcher {
  const pattern = parse(text);
  if (typeof pattern !== "object" || pattern === null || Array.isArray(pattern)) {
    throw codedError(
      "FILTER_INVALID",
      `The event filter "${text}" is not a JSON object. Correct the pattern in filterCriteria.`,
    );
  }
  const payloadKey = PAYLOAD_KEYS[service];
  const foreign =
    payloadKey === undefined ? undefined : Object.keys(pattern).find((key) => key !== payloadKey);
  if (foreign !== undefined) {
    throw codedError(
      "FILTER_INVALID",
      `The event filter "${text}" filters by "${foreign}", and AWS filters this kind of record by "${payloadKey}" only. Put the pattern under "${payloadKey}".`,
    );
  }
  return compilePattern(pattern, "$");
}

/** What the patterns see of a record: the payload decoded, and an item's images with their type descriptors. */
function filterView(record: SourceRecord): unknown {
  if ("kinesis" in record)
    return { data: payload(Buffer.from(record.kinesis.data, "base64").toString("utf8")) };
  if ("messageId" in record) return { body: payload(record.body) };
  return record;
}

/** Only objects and arrays count as JSON: a bare word or number is a plain text, which a plain text pattern can name. */
function payload(text: string): unknown {
  const parsed = parse(text);
  return typeof parsed === "object" && parsed !== null ? parsed : text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
