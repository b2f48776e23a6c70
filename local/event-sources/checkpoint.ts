/** Follows which records of a shard are processed, in whatever order that happens. */
export interface Checkpoint {
  /** Notes records that were read, in the shard's order. */
  read(sequenceNumbers: readonly string[]): void;
  /** Notes processed records. Returns the new checkpoint if it moved. */
  processed(sequenceNumbers: readonly string[]): string | undefined;
  /** The highest sequence number up to which everything is processed. */
  position(): string | undefined;
}

/**
 * Makes a shard's checkpoint. With several batches in flight (ParallelizationFactor) later records may be processed first; the
 * checkpoint still never passes a record that is not, so nothing is lost when reading starts again from it.
 */
export function createCheckpoint(start?: string): Checkpoint {
  let position = start;
  // In the order of reading. A Map keeps that order and finds a record at once.
  const states = new Map<string, "read" | "processed">();
  return {
    read: (sequenceNumbers) => {
      for (const sequenceNumber of sequenceNumbers) states.set(sequenceNumber, "read");
    },
    processed: (sequenceNumbers) => {
      for (const sequenceNumber of sequenceNumbers) {
        if (states.has(sequenceNumber)) states.set(sequenceNumber, "processed");
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
  };
}
