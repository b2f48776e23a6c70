/** A median with the range it was seen in, and the quartiles: half of the figures lie between them. */
export interface Spread {
  median: number;
  lower: number;
  upper: number;
  min: number;
  max: number;
}

/** The value below which a share of the values lies, by nearest rank; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The median of chunks' figures, with how far they lie apart. */
export function spread(values: readonly number[]): Spread {
  return {
    median: median(values),
    lower: quantile(values, 0.25),
    upper: quantile(values, 0.75),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

/** The same items in a random order, so that no variant always follows the same other one. */
export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
