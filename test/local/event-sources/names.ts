/** Names of records, e.g. a1, a2, a3. */
export function names(key: string, count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, index) => `${key}${index + from}`);
}

/** Gives the value at the first call and nothing afterwards. */
export function once<T>(value: T): () => T | undefined {
  let isUsed = false;
  return () => {
    if (isUsed) return undefined;
    isUsed = true;
    return value;
  };
}
