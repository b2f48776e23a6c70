/** Payload of a synchronous invocation. Source: AWS Lambda quotas. */
export const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

/** How many of the waiting records go into the next batch: at most `batchSize`, at most the payload limit, at least one. */
export function batchLength(
  waiting: readonly { bytes: number }[],
  batchSize: number,
  maximumBytes = MAX_PAYLOAD_BYTES,
): number {
  let bytes = 0;
  let length = 0;
  for (const record of waiting) {
    bytes += record.bytes;
    if (length > 0 && (length === batchSize || bytes > maximumBytes)) break;
    length += 1;
  }
  return length;
}

/** True if waiting longer cannot make the next batch bigger. */
export function isFullBatch(
  waiting: readonly { bytes: number }[],
  batchSize: number,
  maximumBytes = MAX_PAYLOAD_BYTES,
): boolean {
  return waiting.length >= batchSize || batchLength(waiting, batchSize, maximumBytes) < waiting.length;
}
