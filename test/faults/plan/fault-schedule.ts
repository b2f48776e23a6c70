import type { FaultKind } from "./fault-kinds";
import { type Random, randomStream } from "./random";

/** Decides, from a seed, where faults strike. */
export interface FaultSchedule {
  /**
   * Asked at each opportunity. Every site has a stream of decisions of its own, so the nth opportunity at a site meets the same
   * decision in every run with the same seed.
   *
   * @param site where, e.g. "orders-relay: events PutEvents"
   * @param kinds what may happen there
   * @returns the fault to inject, which counts as injected; undefined lets things take their course
   */
  draw(site: string, kinds: readonly FaultKind[]): FaultKind | undefined;
  /** Counts a fault that was planned elsewhere. */
  count(kind: FaultKind): void;
  /** Details of a fault at a site, e.g. how long a delay is: from the site's own stream. */
  details(site: string): Random;
  injected(): Record<string, number>;
  total(): number;
  /** Nothing is injected until `resume`; opportunities in between are not counted. */
  pause(): void;
  resume(): void;
}

/** How often faults strike. */
export interface ScheduleOptions {
  seed: number;
  /** Probability of a fault at one opportunity, 0 to 1. */
  rate: number;
}

/** Opens the schedule of a run. */
export function openFaultSchedule({ seed, rate }: ScheduleOptions): FaultSchedule {
  const streams = new Map<string, { whether: Random; details: Random }>();
  const counts = new Map<FaultKind, number>();
  let paused = false;
  const streamOf = (site: string) => {
    const known = streams.get(site);
    if (known) return known;
    const made = {
      whether: randomStream(seed, `fault at ${site}`),
      details: randomStream(seed, `details at ${site}`),
    };
    streams.set(site, made);
    return made;
  };
  const count = (kind: FaultKind): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return {
    draw(site, kinds) {
      if (paused) return undefined;
      const { whether } = streamOf(site);
      // Both are drawn each time: the stream does not depend on what came of the first.
      const strikes = whether.chance(rate);
      const kind = whether.pick(kinds);
      if (!strikes) return undefined;
      count(kind);
      return kind;
    },
    count,
    details: (site) => streamOf(site).details,
    injected: () => Object.fromEntries([...counts].sort()),
    total: () => [...counts.values()].reduce((sum, one) => sum + one, 0),
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
    },
  };
}
