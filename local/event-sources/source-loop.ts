import type { ShardStatus } from "./shard-consumer";

/** A running mapping, whatever its source. */
export interface SourceLoop {
  /** Resolves once the source is being read, or cannot be for now. */
  ready: Promise<void>;
  /** Resolves once everything has ended after a stop. */
  done: Promise<void>;
  /** Looks at the source and tells whether nothing is left to do. */
  isIdle(): Promise<boolean>;
  status(): {
    /** Records that were received and are neither processed nor given up. */
    inFlight: number;
    /** How long the oldest record has waited, as far as known. */
    lagMilliseconds: number;
    shards?: readonly ShardStatus[];
  };
}
