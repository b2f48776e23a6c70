/** Keeps a function from receiving messages, so that they gather in batches. */
export interface Brake {
  /** @returns a function that lets it receive again */
  hold(functionName: string): () => void;
  /** Resolves when the function may receive. */
  released(functionName: string): Promise<void>;
  /** As long as `slowly` runs, messages that are received come back after the time that AWS gives a function. */
  slowly<T>(work: () => Promise<T>): Promise<T>;
  visibilityTimeoutSeconds(): number | undefined;
}

/** A function's timeout. A message that comes back while it is processed would be processed twice at a time. */
const TIMEOUT_SECONDS = 30;

/** Makes a brake that holds nothing. */
export function makeBrake(): Brake {
  const held = new Map<string, Promise<void>>();
  let isSlow = false;
  return {
    hold(functionName) {
      let letGo: () => void = () => undefined;
      held.set(functionName, new Promise((resolve) => (letGo = resolve)));
      return () => {
        held.delete(functionName);
        letGo();
      };
    },
    released: async (functionName) => held.get(functionName),
    async slowly(work) {
      isSlow = true;
      try {
        return await work();
      } finally {
        isSlow = false;
      }
    },
    visibilityTimeoutSeconds: () => (isSlow ? TIMEOUT_SECONDS : undefined),
  };
}
