/** A shard of a stream and where it comes from. */
export interface ShardDescription {
  shardId: string;
  /** The shards it was split from or merged of; empty for an original one. */
  parentShardIds: readonly string[];
}

/**
 * The shards that may be read now: those not started yet whose parents are read to their end or are no longer in the stream. A key's
 * records before a reshard "persist" in the parent shard, so its children wait for it, or the key would lose its order. Source:
 * Amazon Kinesis Data Streams developer guide, "After resharding".
 */
export function readableShards(
  shards: readonly ShardDescription[],
  started: ReadonlySet<string>,
  finished: ReadonlySet<string>,
): ShardDescription[] {
  const present = new Set(shards.map(({ shardId }) => shardId));
  return shards.filter(
    ({ shardId, parentShardIds }) =>
      !started.has(shardId) &&
      parentShardIds.every(
        (parent) => finished.has(parent) || (!present.has(parent) && !started.has(parent)),
      ),
  );
}
