import { sleep } from "./pulse";
import { runShard } from "./shard-run";
import { newShardState, type ShardContext } from "./shard-state";

/** How a shard stands. */
export interface ShardStatus {
  shardId: string;
  /** Everything up to here is processed. */
  checkpoint?: string;
  /** Records that were read and are not processed. */
  outstanding: number;
  /** How long the oldest unprocessed record has waited, as far as known. */
  lagMilliseconds: number;
  /** True once a closed shard is processed to its end. */
  finished: boolean;
}

/** The reading and processing of one shard. */
export interface ShardConsumer {
  /** Resolves when the shard is processed to its end ("finished") or the mapping is stopped. */
  done: Promise<"finished" | "stopped">;
  /** Resolves once the position in the shard is fixed (what is added afterwards is read, also with LATEST) or cannot be for now. */
  positioned: Promise<void>;
  /** Reads once more at once and tells whether there is nothing left to do. */
  isIdle(): Promise<boolean>;
  status(): ShardStatus;
}

/** How long `isIdle` waits for a read; longer means that the shard cannot be read at present. */
const IDLE_CHECK_MILLISECONDS = 2_000;

/** Consumes a shard until it is finished or the mapping is stopped. A poller that dies is followed by another from the checkpoint. */
export function consumeShard(context: ShardContext): ShardConsumer {
  const { shardId, stopped, pace, delivery } = context;
  let markPositioned: () => void = () => undefined;
  const positioned = new Promise<void>((resolve) => (markPositioned = resolve));
  const state = newShardState(markPositioned);
  const { outstanding, reads, wake, readDone } = state;
  let finished = false;
  const done = consume().finally(markPositioned);

  return {
    done,
    positioned,
    isIdle: async () => {
      if (finished) return true;
      if (outstanding.size > 0) return false;
      // Only a read that starts from now on can tell that nothing was added before.
      const { started } = reads;
      reads.wanted = started + 1;
      wake.ring();
      const deadline = Date.now() + IDLE_CHECK_MILLISECONDS;
      while (!finished && reads.completed <= started && Date.now() < deadline && !stopped.aborted) {
        await readDone.wait(deadline - Date.now(), stopped);
      }
      return finished || (reads.completed > started && reads.atTip && outstanding.size === 0);
    },
    status: () => {
      const [oldest] = outstanding.values();
      return {
        shardId,
        ...(state.checkpoint === undefined ? {} : { checkpoint: state.checkpoint }),
        outstanding: outstanding.size,
        lagMilliseconds: oldest ? Math.max(0, Date.now() - oldest.arrivedAt) : reads.behindMilliseconds,
        finished,
      };
    },
  };

  async function consume(): Promise<"finished" | "stopped"> {
    while (!stopped.aborted) {
      try {
        if ((await runShard(context, state)) === "finished") {
          finished = true;
          readDone.ring();
          return "finished";
        }
      } catch (error) {
        // Nothing is known to get here. Should it, then the shard is read again from its checkpoint rather than left alone.
        delivery.recorder.problem(`shard ${shardId}`, error);
        await sleep(pace.problemMilliseconds, stopped);
      }
    }
    return "stopped";
  }
}
