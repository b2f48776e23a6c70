import type { FaultKind } from "./fault-kinds";
import { type Random, randomStream } from "./random";

/** Decides from a seed where faults happen. */
export interface FaultSchedule {
  /**
   * Called at each opportunity for a fault. Every site has its own stream of decisions, so the nth
   * opportunity at a site gets the same decision in every run with the same seed.
   *
   * @param site the place, e.g. "orders-relay: AWSEvents.PutEvents"
   * @param kinds the faults that are possible there
   * @returns the fault to inject, which is counted; undefined for none
   */
  draw(site: string, kinds: readonly FaultKind[]): FaultKind | undefined;
  /** Counts a fault that was planned elsewhere, i.e. an incident. */
  count(kind: FaultKind): void;
  /** The random stream for details of faults at a site, e.g. the length of a delay. */
  details(site: string): Random;
  /** Kind -> how often it was injected. */
  injected(): Record<string, number>;
  total(): number;
  /** Injects nothing until `resume`; opportunities in between do not advance the streams. */
  pause(): void;
  resume(): void;
  isPaused(): boolean;
}

/** How often faults happen. */
export interface ScheduleOptions {
  seed: number;
  /** Probability of a fault at each opportunity, 0 to 1. */
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
      // Both are drawn every time, so that the stream does not depend on earlier decisions.
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
    isPaused: () => paused,
  };
}
