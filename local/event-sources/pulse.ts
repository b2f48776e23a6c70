/** Lets loops sleep until they are woken, the time is up, or they are stopped. */
export interface Pulse {
  /** Wakes everybody who waits now. */
  ring(): void;
  /** Returns after a ring, after so many milliseconds (Infinity for no limit), or at once if `signal` is or becomes aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Makes a pulse. It keeps no timer longer than somebody waits. */
export function createPulse(): Pulse {
  const waiting = new Set<() => void>();
  return {
    ring: () => {
      for (const wake of [...waiting]) wake();
    },
    wait: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const timer = Number.isFinite(milliseconds) ? setTimeout(wake, milliseconds) : undefined;
        function wake(): void {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        }
        waiting.add(wake);
        signal.addEventListener("abort", wake);
      }),
  };
}

/** Waits; returns at once if `signal` is or becomes aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return createPulse().wait(milliseconds, signal);
}
