/** A median with quartiles and range. */
export interface Spread {
  median: number;
  lower: number;
  upper: number;
  min: number;
  max: number;
}

/** The quantile of some values, by nearest rank; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function spread(values: readonly number[]): Spread {
  return {
    median: median(values),
    lower: quantile(values, 0.25),
    upper: quantile(values, 0.75),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

/** The items in random order. */
export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
