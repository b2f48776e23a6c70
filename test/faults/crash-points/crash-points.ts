import { isRead } from "./side-effects";

/** A place where a process is killed. */
export interface CrashPoint {
  /**
   * A function by its logical name, e.g. "monolith-relay", or one command of it, e.g. "orders-commands
   * placeOrder".
   */
  step: string;
  /** An effect of the step outside its process, e.g. "PutEvents". */
  sideEffect: string;
  /** Whether the step had the same side effect before in this run, e.g. for another record of its batch. */
  again: boolean;
  when: "before" | "after";
}

/** Collects the crash points of all steps from what they do, and decides where to kill a process. */
export interface CrashPoints {
  /** A step starts a new run; repeated side effects are counted from here. */
  begins(step: string): void;
  /**
   * A step is about to have a side effect. @returns whether to kill its process before or after it;
   * undefined: not at all
   */
  reaches(step: string, sideEffect: string): CrashPoint["when"] | undefined;
  /** From now on, kills a process once at each crash point that was seen so far. */
  arm(): void;
  /** Starts a round: each step may be killed as often as a round allows. */
  newRound(): void;
  /** The crash points at which a process was killed, in order. */
  struck(): CrashPoint[];
  /** The crash points at which no process was killed yet. */
  left(): CrashPoint[];
  /**
   * Of those left, the ones that were seen in at least two rounds before `arm`, and not by chance, e.g. only
   * where a command lost a race.
   */
  missed(): CrashPoint[];
}

/**
 * Kills per step and round. More than one, because a killed process is followed by a new one, whose first
 * calls are different; and less than the receives of a queued message (five).
 */
const KILLS_PER_ROUND = 3;

const READ = ["before"] as const;
const WRITE = ["before", "after"] as const;

/** Opens the crash points of a run. It only observes until `arm`. */
export function openCrashPoints(): CrashPoints {
  const left = new Map<string, CrashPoint>();
  const struck: CrashPoint[] = [];
  const killsOf = new Map<string, number>();
  const timesOf = new Map<string, Map<string, number>>();
  /** Crash point -> the rounds before `arm` in which it was seen. */
  const seenIn = new Map<string, Set<number>>();
  let round = 0;
  let isArmed = false;
  return {
    begins: (step) => void timesOf.set(step, new Map()),
    reaches(step, sideEffect) {
      const times = timesOf.get(step) ?? new Map<string, number>();
      timesOf.set(step, times.set(sideEffect, (times.get(sideEffect) ?? 0) + 1));
      // The number of repeats depends on how many records arrive together, so the second stands for all
      // further ones.
      const again = times.get(sideEffect) !== 1;
      const places = (isRead(sideEffect) ? READ : WRITE).map((when) => ({ step, sideEffect, again, when }));
      if (!isArmed) {
        for (const place of places) {
          const name = describeCrashPoint(place);
          left.set(name, place);
          seenIn.set(name, (seenIn.get(name) ?? new Set()).add(round));
        }
        return undefined;
      }
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
    newRound() {
      round += 1;
      killsOf.clear();
    },
    struck: () => [...struck],
    left: () => [...left.values()],
    missed: () =>
      [...left.values()].filter((place) => (seenIn.get(describeCrashPoint(place))?.size ?? 0) > 1),
  };
}

/** E.g. "monolith-relay: killed after PutEvents". */
export function describeCrashPoint({ step, sideEffect, again, when }: CrashPoint): string {
  return `${step}: killed ${when} ${sideEffect}${again ? ", again" : ""}`;
}
