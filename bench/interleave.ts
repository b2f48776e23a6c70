import { median, shuffled } from "./statistics";

/** One way to do a piece of work, to be compared with others. */
export interface Variant {
  name: string;
  run(): Promise<void>;
}

/** Variant -> one figure a chunk (or round); the same index belongs to the same moment. */
export type Figures = ReadonlyMap<string, readonly number[]>;

/**
 * Runs the variants one at a time in turns: in every iteration each once, in random order. What else the machine does then falls on
 * all of them alike.
 *
 * @returns the median milliseconds of each chunk
 */
export async function latencies(
  variants: readonly Variant[],
  { chunks, iterations }: { chunks: number; iterations: number },
): Promise<Figures> {
  const figures = new Map(variants.map(({ name }) => [name, [] as number[]]));
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const times = new Map(variants.map(({ name }) => [name, [] as number[]]));
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      for (const { name, run } of shuffled(variants)) {
        const started = performance.now();
        await run();
        times.get(name)?.push(performance.now() - started);
      }
    }
    for (const [name, values] of times) figures.get(name)?.push(median(values));
  }
  return figures;
}

/**
 * Runs each variant for a short slice in every round, in random order, with so many at once.
 *
 * @returns the operations a second of each round
 */
export async function throughputs(
  variants: readonly Variant[],
  options: { rounds: number; sliceMilliseconds: number; concurrency: number },
): Promise<Figures> {
  const figures = new Map(variants.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const variant of shuffled(variants)) {
      figures.get(variant.name)?.push(await slice(variant, options));
    }
  }
  return figures;
}

/** Each variant a few times, so that connections are open, statements prepared and code compiled. */
export async function warmUp(variants: readonly Variant[], times: number, concurrency = 1): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    for (const { run } of variants) await Promise.all(Array.from({ length: concurrency }, () => run()));
  }
}

/** Figure by figure, what one variant has against another, e.g. the ratio of their times. */
export function compare(
  figures: Figures,
  [one, other]: readonly [string, string],
  of: (one: number, other: number) => number,
): number[] {
  const others = figures.get(other) ?? [];
  return (figures.get(one) ?? []).map((value, index) => of(value, others[index] ?? NaN));
}

async function slice(
  { run }: Variant,
  { sliceMilliseconds, concurrency }: { sliceMilliseconds: number; concurrency: number },
): Promise<number> {
  const started = performance.now();
  let done = 0;
  const worker = async () => {
    while (performance.now() - started < sliceMilliseconds) {
      await run();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return (done * 1_000) / (performance.now() - started);
}
