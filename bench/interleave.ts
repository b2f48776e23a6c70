import { median, shuffled } from "./statistics";

/** One way to do a piece of work, to compare with others. */
export interface Variant {
  name: string;
  run(): Promise<void>;
}

/** Variant -> one figure per chunk or round. Figures with the same index were measured at the same time. */
export type Figures = ReadonlyMap<string, readonly number[]>;

/**
 * Runs the variants in turns, each once per iteration and in random order, so that other load on the machine
 * affects all of them alike.
 *
 * @returns the median of each chunk, in milliseconds
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
 * Runs each variant concurrently for a short slice of every round, in random order.
 *
 * @returns the operations per second of each round
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

/**
 * Runs each variant a few times, so that connections are open, statements are prepared and code is compiled.
 */
export async function warmUp(variants: readonly Variant[], times: number, concurrency = 1): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    for (const { run } of variants) await Promise.all(Array.from({ length: concurrency }, () => run()));
  }
}

/** Compares two variants figure by figure, e.g. by the ratio of their times. */
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
