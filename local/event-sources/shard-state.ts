import type { DeliveryContext } from "./deliver-batch";
import type { Discard } from "./discard-notice";
import type { StreamMapping } from "./mapping-inputs";
import type { Pace } from "./pace";
import { createPulse, type Pulse } from "./pulse";
import type { ShardPosition, StreamReader, StreamRecord } from "./stream-reader";

/** What consuming a shard needs. */
export interface ShardContext {
  shardId: string;
  start: ShardPosition;
  mapping: StreamMapping;
  reader: StreamReader;
  delivery: DeliveryContext;
  pace: Pace;
  /** Aborted when the mapping is stopped. */
  stopped: AbortSignal;
  /** Reports given-up records to the mapping's destination; resolves once that is done. */
  discard(discard: Discard): Promise<void>;
}

/** How far a shard is, across the poller's lives. */
export interface ShardState {
  /** Everything up to here is processed. */
  checkpoint?: string;
  /** The first record that was ever read: where a poller starts again that dies before the first checkpoint. */
  firstRead?: string;
  /** Records that were read and are not processed, in order, by sequence number. */
  outstanding: Map<string, StreamRecord>;
  /** Counts reads, and keeps what the last one found. `wanted` is the number of a read that somebody waits for. */
  reads: { started: number; completed: number; wanted: number; atTip: boolean; behindMilliseconds: number };
  /** Rings to read at once instead of after the idle wait. */
  wake: Pulse;
  /** Rings after each read. */
  readDone: Pulse;
  /** Called when the position in the shard is fixed, or could not be for now. */
  onPositioned: () => void;
}

/** The state of a shard of which nothing was read. */
export function newShardState(onPositioned: () => void): ShardState {
  return {
    outstanding: new Map(),
    reads: { started: 0, completed: 0, wanted: 0, atTip: false, behindMilliseconds: 0 },
    wake: createPulse(),
    readDone: createPulse(),
    onPositioned,
  };
}
