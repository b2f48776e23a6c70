import { isRead } from "./side-effects";

/** A place where a process is killed. */
export interface CrashPoint {
  /** What runs: a function by its logical name, e.g. "monolith-relay", or one command of it, e.g. "orders-commands placeOrder". */
  step: string;
  /** What the step does to the world outside, e.g. "PutEvents". */
  sideEffect: string;
  /** Whether the step had done the same before in this run of it, e.g. for another record of its batch. */
  again: boolean;
  when: "before" | "after";
}

/** Knows every crash point of the steps, since it sees what they do, and says where a process is to be killed. */
export interface CrashPoints {
  /** A step begins anew: what is counted as done again is counted from here. */
  begins(step: string): void;
  /** A step is about to do something. @returns whether its process is to be killed before or after that; undefined: not at all */
  reaches(step: string, sideEffect: string): CrashPoint["when"] | undefined;
  /** From now on processes are killed, once at each place that was seen so far. */
  arm(): void;
  /** Lets each step be killed again as often as a round allows. */
  newRound(): void;
  /** Where a process was killed, in that order. */
  struck(): CrashPoint[];
  /** Where a process is still to be killed. */
  left(): CrashPoint[];
}

/**
 * So often a step is killed in a round: more than once, since a process that was killed is followed by a fresh one, whose first calls no
 * other has; and less often than a queue delivers a message (five times).
 */
const KILLS_PER_ROUND = 3;

const READ = ["before"] as const;
const WRITE = ["before", "after"] as const;

/** Opens the crash points of a run. At first it only looks on. */
export function openCrashPoints(): CrashPoints {
  const left = new Map<string, CrashPoint>();
  const struck: CrashPoint[] = [];
  const killsOf = new Map<string, number>();
  const timesOf = new Map<string, Map<string, number>>();
  let isArmed = false;
  return {
    begins: (step) => void timesOf.set(step, new Map()),
    reaches(step, sideEffect) {
      const times = timesOf.get(step) ?? new Map<string, number>();
      timesOf.set(step, times.set(sideEffect, (times.get(sideEffect) ?? 0) + 1));
      // How often, depends on how many records come together: the second time stands for all that follow.
      const again = times.get(sideEffect) !== 1;
      const places = (isRead(sideEffect) ? READ : WRITE).map((when) => ({ step, sideEffect, again, when }));
      if (!isArmed) return void places.forEach((place) => left.set(describeCrashPoint(place), place));
      const kills = killsOf.get(step) ?? 0;
      const place = places.find((one) => left.has(describeCrashPoint(one)));
      if (!place || kills >= KILLS_PER_ROUND) return undefined;
      killsOf.set(step, kills + 1);
      left.delete(describeCrashPoint(place));
      struck.push(place);
      return place.when;
    },
    arm() {
      isArmed = true;
    },
    newRound: () => killsOf.clear(),
    struck: () => [...struck],
    left: () => [...left.values()],
  };
}

/** E.g. "monolith-relay: killed after PutEvents". */
export function describeCrashPoint({ step, sideEffect, again, when }: CrashPoint): string {
  return `${step}: killed ${when} ${sideEffect}${again ? ", again" : ""}`;
}
