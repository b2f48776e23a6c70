import type { DeliveryContext } from "./deliver-batch";
import type { Discard } from "./discard-notice";
import type { StreamMapping } from "./mapping-inputs";
import type { Pace } from "./pace";
import { createPulse } from "./pulse";
import { consumeShard, type ShardConsumer } from "./shard-consumer";
import { readableShards } from "./shard-order";
import type { SourceLoop } from "./source-loop";
import type { StreamReader } from "./stream-reader";

/** What consuming a stream needs. */
export interface StreamSourceContext {
  mapping: StreamMapping;
  reader: StreamReader;
  /** Reports given-up records to the mapping's destination; resolves once that is done. */
  discard(discard: Discard): Promise<void>;
  delivery: DeliveryContext;
  pace: Pace;
  /** Aborted when the mapping is stopped. */
  stopped: AbortSignal;
}

/**
 * Consumes all shards of a stream, parents before their children. Shards that are there at the start are read from the mapping's
 * starting position, and those that a reshard adds later from their beginning.
 */
export function consumeStream(context: StreamSourceContext): SourceLoop {
  const { mapping, reader, delivery, pace, stopped } = context;
  const { recorder } = delivery;
  const consumers = new Map<string, ShardConsumer>();
  const finished = new Set<string>();
  const rescan = createPulse();
  let markReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (markReady = resolve));
  // Undefined until the stream was listed once.
  let initialShards: ReadonlySet<string> | undefined;

  const done = scanShards().finally(markReady);
  return {
    ready,
    done,
    isIdle: async () => {
      if (!initialShards || recorder.problems().length > 0 || (await hasUnreadShards())) return false;
      const idle = await Promise.all([...consumers.values()].map((consumer) => consumer.isIdle()));
      return idle.every(Boolean) && recorder.problems().length === 0;
    },
    status: () => {
      const shards = [...consumers.values()].map((consumer) => consumer.status());
      return {
        inFlight: shards.reduce((sum, { outstanding }) => sum + outstanding, 0),
        lagMilliseconds: Math.max(0, ...shards.map(({ lagMilliseconds }) => lagMilliseconds)),
        shards,
      };
    },
  };

  /** A shard that is still to be started may hold records. */
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
        if (!initialShards) await reader.describe();
        const shards = await reader.listShards();
        recorder.solved("stream");
        initialShards ??= new Set(shards.map(({ shardId }) => shardId));
        const started = new Set(consumers.keys());
        for (const { shardId } of readableShards(shards, started, finished))
          startShard(shardId, initialShards);
        await Promise.all([...consumers.values()].map(({ positioned }) => positioned));
      } catch (error) {
        recorder.problem("stream", error);
        wait = pace.problemMilliseconds;
      }
      markReady();
      // A shard that was finished meanwhile may have children that are readable now.
      if (finished.size === finishedBefore) await rescan.wait(wait, stopped);
    }
    await Promise.all([...consumers.values()].map((consumer) => consumer.done));
  }

  function startShard(shardId: string, initial: ReadonlySet<string>): void {
    const start = { type: initial.has(shardId) ? mapping.startingPosition : ("TRIM_HORIZON" as const) };
    const consumer = consumeShard({ ...context, shardId, start });
    consumers.set(shardId, consumer);
    void consumer.done.then((outcome) => {
      if (outcome !== "finished") return;
      finished.add(shardId);
      rescan.ring();
    });
  }
}
