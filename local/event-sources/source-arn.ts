import { codedError } from "../../runtime/function/coded-error";

/** The services whose event source mappings run locally. */
export type SourceService = "kinesis" | "dynamodb" | "sqs";

/** What an event source's ARN says. */
export interface SourceArn {
  service: SourceService;
  region: string;
  accountId: string;
  /** Name of the stream, table or queue. */
  name: string;
}

/**
 * Reads the ARN of a Kinesis stream, of a DynamoDB table's stream or of a standard queue.
 *
 * @throws EVENT_SOURCE_INVALID if it is no such ARN
 * @throws EVENT_SOURCE_UNSUPPORTED for a FIFO queue or a Kinesis consumer (enhanced fan-out)
 */
export function readSourceArn(arn: string): SourceArn {
  const [, , service, region = "", accountId = "", ...rest] = arn.split(":");
  const resource = rest.join(":");
  if (service === "kinesis" && /^stream\/[^/]+$/.test(resource)) {
    return { service, region, accountId, name: resource.slice("stream/".length) };
  }
  const table = /^table\/([^/]+)\/stream\/.+$/.exec(resource)?.[1];
  if (service === "dynamodb" && table !== undefined) return { service, region, accountId, name: table };
  if (service === "sqs" && resource !== "" && !resource.endsWith(".fifo")) {
    return { service, region, accountId, name: resource };
  }
  if (resource.endsWith(".fifo") || resource.includes("/consumer/")) {
    throw codedError(
      "EVENT_SOURCE_UNSUPPORTED",
      `The event source "${arn}" is a FIFO queue or a stream consumer, which the local event sources do not read. Use a standard queue or the stream itself.`,
    );
  }
  throw codedError(
    "EVENT_SOURCE_INVALID",
    `The event source "${arn}" is not the ARN of a Kinesis stream, a DynamoDB stream or a queue. Pass the stream's ARN (for a table: streamArn, not arn).`,
  );
}
