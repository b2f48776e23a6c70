/** Follows which records of a shard are processed, in whatever order that happens. */
export interface Checkpoint {
  /** Notes records that were read, in the shard's order. */
  read(sequenceNumbers: readonly string[]): void;
  /** Notes processed records. Returns the new checkpoint if it moved. */
  processed(sequenceNumbers: readonly string[]): string | undefined;
  /** The highest sequence number up to which everything is processed. */
  position(): string | undefined;
  /** Records that were read and are not processed. */
  outstanding(): number;
}

/**
 * Makes a shard's checkpoint. With several batches in flight (ParallelizationFactor) later records may be processed first; the
 * checkpoint still never passes a record that is not, so nothing is lost when reading starts again from it.
 */
export function createCheckpoint(start?: string): Checkpoint {
  let position = start;
  let outstanding = 0;
  // In the order of reading. A Map keeps that order and finds a record at once.
  const states = new Map<string, "read" | "processed">();
  return {
    read: (sequenceNumbers) => {
      for (const sequenceNumber of sequenceNumbers) states.set(sequenceNumber, "read");
      outstanding += sequenceNumbers.length;
    },
    processed: (sequenceNumbers) => {
      for (const sequenceNumber of sequenceNumbers) {
        if (states.get(sequenceNumber) !== "read") continue;
        states.set(sequenceNumber, "processed");
        outstanding -= 1;
      }
      const before = position;
      for (const [sequenceNumber, state] of states) {
        if (state === "read") break;
        position = sequenceNumber;
        states.delete(sequenceNumber);
      }
      return position === before ? undefined : position;
    },
    position: () => position,
    outstanding: () => outstanding,
  };
}
