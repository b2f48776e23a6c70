import type { SourceContext, SourceLoop } from "../deliver-batch";
import type { StreamMapping } from "../mapping-inputs";
import { createPulse } from "../pace";
import { consumeShard, type ShardConsumer } from "./shard";
import type { ShardDescription, StreamReader } from "./stream-reader";

/** Consumes all shards of a stream from their oldest records on, parents before their children. */
export function consumeStream(context: SourceContext<StreamMapping>, reader: StreamReader): SourceLoop {
  const { recorder, pace, stopped } = context;
  const consumers = new Map<string, ShardConsumer>();
  const finished = new Set<string>();
  const rescan = createPulse();
  let markReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (markReady = resolve));
  let isListed = false;

  const done = scanShards().finally(markReady);
  return {
    ready,
    done,
    isIdle: async () => {
      if (!isListed || recorder.problems().length > 0 || (await hasUnreadShards())) return false;
      const idle = await Promise.all([...consumers.values()].map((consumer) => consumer.isIdle()));
      return idle.every(Boolean) && recorder.problems().length === 0;
    },
    status: () => {
      const shards = [...consumers.values()].map((consumer) => consumer.status());
      return { inFlight: shards.reduce((sum, { outstanding }) => sum + outstanding, 0), shards };
    },
  };

  /** A shard that is not started yet may hold records. */
  async function hasUnreadShards(): Promise<boolean> {
    try {
      const isUnread = (await reader.listShards()).some(({ shardId }) => !consumers.has(shardId));
      if (isUnread) rescan.ring();
      return isUnread;
    } catch {
      return true;
    }
  }

  async function scanShards(): Promise<void> {
    while (!stopped.aborted) {
      const finishedBefore = finished.size;
      let wait = pace.shardScanMilliseconds;
      try {
        if (!isListed) await reader.describe();
        const shards = await reader.listShards();
        recorder.solved("stream");
        isListed = true;
        const started = new Set(consumers.keys());
        for (const { shardId } of readableShards(shards, started, finished)) startShard(shardId);
      } catch (error) {
        recorder.problem("stream", error);
        wait = pace.problemMilliseconds;
      }
      markReady();
      // A shard that was finished in the meantime may have children that are readable now.
      if (finished.size === finishedBefore) await rescan.wait(wait, stopped);
    }
    await Promise.all([...consumers.values()].map((consumer) => consumer.done));
  }

  function startShard(shardId: string): void {
    const consumer = consumeShard(context, reader, shardId);
    consumers.set(shardId, consumer);
    void consumer.done.then((isFinished) => {
      if (!isFinished) return;
      finished.add(shardId);
      rescan.ring();
    });
  }
}

/**
 * The shards that may be read now: those not started yet whose parents are read to their end or are no longer in the
 * stream. A key's records before a reshard "persist" in the parent shard, so its children wait for it, or the key's
 * records would be out of order. Source: Amazon Kinesis Data Streams developer guide, "After resharding".
 */
export function readableShards(
  shards: readonly ShardDescription[],
  started: ReadonlySet<string>,
  finished: ReadonlySet<string>,
): ShardDescription[] {
  const present = new Set(shards.map(({ shardId }) => shardId));
  const isRead = (shardId: string) =>
    finished.has(shardId) || (!present.has(shardId) && !started.has(shardId));
  return shards.filter(
    ({ shardId, parentShardIds }) => !started.has(shardId) && parentShardIds.every(isRead),
  );
}
