import { createHash } from "node:crypto";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A stream of random decisions, the same for the same seed and name. */
export interface Random {
  /** True with a probability of 0 to 1. */
  chance(probability: number): boolean;
  /** A whole number; both ends are included. */
  between(from: number, to: number): number;
  /** One of the items; there must be at least one. */
  pick<T>(items: readonly T[]): T;
  /** The items in random order. */
  shuffled<T>(items: readonly T[]): T[];
}

/** Opens the stream of a name, e.g. of one site of faults; other streams do not affect it. */
export function randomStream(seed: number, name: string): Random {
  const generator = xoroshiro128plus(createHash("sha256").update(`${seed}/${name}`).digest().readInt32BE());
  const between = (from: number, to: number): number => uniformInt(generator, from, to);
  return {
    chance: (probability) => uniformFloat64(generator) < probability,
    between,
    pick: (items) => items[between(0, items.length - 1)] as (typeof items)[number],
    shuffled(items) {
      const order = [...items];
      for (let end = order.length - 1; end > 0; end -= 1) {
        const other = between(0, end);
        [order[end], order[other]] = [
          order[other] as (typeof order)[number],
          order[end] as (typeof order)[number],
        ];
      }
      return order;
    },
  };
}

/** A UUID (version 8, vendor-specific), the same for the same seed and name. */
export function seededUuid(seed: number, name: string): string {
  const hex = createHash("sha256").update(`${seed}#${name}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
