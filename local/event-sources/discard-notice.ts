import { randomUUID } from "node:crypto";
import type { StreamMapping } from "./mapping-inputs";
import type { DiscardCondition } from "./observation";
import type { StreamRecord } from "./stream-reader";

/** Records that were given up, and how it came to that. */
export interface Discard {
  condition: DiscardCondition;
  shardId: string;
  records: readonly StreamRecord[];
  /** How often the function got any of them. */
  invocations: number;
  /** True if the function threw or timed out, false if it reported failures; of no meaning without an invocation. */
  functionError: boolean;
}

/**
 * The message that the on-failure destination gets. It tells where the records are, not what they are. Source: AWS Lambda developer
 * guide, "Retain discarded batch records for a Kinesis Data Streams event source in Lambda" (likewise for DynamoDB), example invocation
 * record; the guide does not name the condition of records that were too old, which is what AWS sends.
 */
export function discardNotice(
  mapping: StreamMapping,
  functionArn: string,
  discard: Discard,
): Record<string, unknown> {
  const { records, condition, invocations } = discard;
  const [first, last] = [records[0], records.at(-1)];
  return {
    requestContext: { requestId: randomUUID(), functionArn, condition, approximateInvokeCount: invocations },
    ...(invocations > 0 && {
      responseContext: {
        statusCode: 200,
        executedVersion: "$LATEST",
        functionError: discard.functionError ? "Unhandled" : null,
      },
    }),
    version: "1.0",
    timestamp: new Date().toISOString(),
    [mapping.service === "kinesis" ? "KinesisBatchInfo" : "DDBStreamBatchInfo"]: {
      shardId: discard.shardId,
      startSequenceNumber: first?.sequenceNumber,
      endSequenceNumber: last?.sequenceNumber,
      approximateArrivalOfFirstRecord: first && new Date(first.arrivedAt).toISOString(),
      approximateArrivalOfLastRecord: last && new Date(last.arrivedAt).toISOString(),
      batchSize: records.length,
      streamArn: mapping.sourceArn,
    },
  };
}
