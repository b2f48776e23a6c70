/** Lets writers pass, or holds them between two operations. */
export interface Gate {
  /** Runs an operation when the gate is open. */
  pass<T>(operation: () => Promise<T>): Promise<T>;
  /**
   * Holds further operations and resolves when none is running. @returns a function that opens the gate again
   */
  close(): Promise<() => void>;
}

/** Makes an open gate. */
export function openGate(): Gate {
  const running = new Set<Promise<unknown>>();
  let opened: Promise<void> | undefined;
  return {
    async pass(operation) {
      while (opened) await opened;
      const done = operation();
      running.add(done);
      try {
        return await done;
      } finally {
        running.delete(done);
      }
    },
    async close() {
      let letGo: () => void = () => undefined;
      opened = new Promise((resolve) => (letGo = resolve));
      await Promise.allSettled(running);
      return () => {
        opened = undefined;
        letGo();
      };
    },
  };
}
